package dev.hostshare.test.conformance;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.DynamicContainer.dynamicContainer;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.hostshare.test.posix.Identity;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.TestInstance;

/** Runs every case on the folder that a subclass provides. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class ConformanceTest {
  private static final List<Class<?>> CASES =
      List.of(
          AclCases.class,
          DataCases.class,
          DirectoryCases.class,
          FcntlLockCases.class,
          FlockCases.class,
          LinkCases.class,
          ListingCases.class,
          MapCases.class,
          NameCases.class,
          OpenCases.class,
          OwnerCases.class,
          PermissionCases.class,
          RenameCases.class,
          SetidCases.class,
          SpaceCases.class,
          SpecialFileCases.class,
          SymlinkCases.class,
          TimeCases.class,
          UnlinkedCases.class,
          XattrCases.class);

  private static final Duration LIMIT = Duration.ofSeconds(60);

  private final AtomicInteger serial = new AtomicInteger();

  /** An absolute folder, searchable by all, in which each case gets one of its own. */
  abstract String folder();

  /** The mount namespace that shows it; empty for the test's own. */
  abstract Optional<Path> namespace();

  /**
   * What this file system cannot do: {@code Class.case} and the reason. Such a case must fail, so
   * that the list never outlives its reason.
   */
  Map<String, String> limits() {
    return Map.of();
  }

  @TestFactory
  Stream<DynamicContainer> asRoot() {
    return CASES.stream().map(cases -> container(cases, Case.As.ROOT, Identity.ROOT));
  }

  @TestFactory
  Stream<DynamicContainer> asOrdinaryUser() {
    return CASES.stream().map(cases -> container(cases, Case.As.USER, Scene.USER));
  }

  private DynamicContainer container(Class<?> cases, Case.As as, Identity identity) {
    var tests =
        Arrays.stream(cases.getDeclaredMethods())
            .filter(method -> method.isAnnotationPresent(Case.class))
            .filter(m -> Arrays.asList(m.getAnnotation(Case.class).as()).contains(as))
            .sorted(Comparator.comparing(Method::getName))
            .map(method -> test(cases.getSimpleName() + "." + method.getName(), method, identity));
    return dynamicContainer(cases.getSimpleName(), tests);
  }

  private DynamicTest test(String name, Method method, Identity identity) {
    return dynamicTest(
        name,
        () ->
            assertTimeoutPreemptively(
                LIMIT,
                () -> {
                  if (limits().containsKey(name)) {
                    assertThrows(
                        Throwable.class,
                        () -> run(name, method, identity),
                        "is listed as a limit, but works: " + limits().get(name));
                  } else {
                    run(name, method, identity);
                  }
                }));
  }

  private void run(String name, Method method, Identity identity) throws Exception {
    var dir = folder() + "/" + name + "-" + serial.incrementAndGet();
    try (var scene = new Scene(dir, identity, namespace())) {
      method.invoke(null, scene);
    } catch (InvocationTargetException e) {
      throw new AssertionError(name + " as " + identity + ": " + e.getCause(), e.getCause());
    }
  }

  @Test
  void limitsNameCases() {
    for (var name : limits().keySet()) {
      assertTrue(
          CASES.stream()
              .flatMap(cases -> Arrays.stream(cases.getDeclaredMethods()))
              .anyMatch(
                  m -> name.equals(m.getDeclaringClass().getSimpleName() + "." + m.getName())),
          () -> "no such case: " + name);
    }
  }
}
