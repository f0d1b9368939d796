package dev.hostshare.test.system;

import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * A class of tests that run server, agent and guest: they mount, so they need root. What server and
 * agent logged is printed when one fails.
 */
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@Inherited
@Tag("system")
@Timeout(300)
@ExtendWith(LogsOnFailure.class)
@EnabledIfSystemProperty(
    named = "user.name",
    matches = "root",
    disabledReason = "mounting needs root")
public @interface SystemTest {}
