package dev.hostshare.test.conformance;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** A static method {@code void name(Scene)} that is a conformance case. */
@Target(ElementType.METHOD)
@Retention(RetentionPolicy.RUNTIME)
@interface Case {
  /** Whom {@link Scene#me} is, once each. */
  As[] as() default {As.ROOT, As.USER};

  /** Root, or an ordinary user who owns the case's folder. */
  enum As {
    ROOT,
    USER
  }
}
