package dev.hostshare.fileserver.export;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class ShareSpecTest {
  private static final OwnerPolicy HOST = new OwnerPolicy.Host();

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "/Users/me|/Users/me|false|host",
        "/Users/me/,ro|/Users/me|true|host",
        "/Users/me,owner=caller|/Users/me|false|caller",
        "/Users/me,ro,owner=1000:100|/Users/me|true|1000:100",
        "/odd,name,rw|/odd,name|false|host",
      })
  void readsAShare(String text, String path, boolean readOnly, String owner) {
    ShareSpec spec = ShareSpec.parse(text, HOST);
    assertEquals(Path.of(path), spec.path());
    assertEquals(readOnly, spec.readOnly());
    assertEquals(owner, spec.owner().text());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        ",ro",
        "relative",
        "/x,owner=me",
        "/x,owner=1:2:3",
        "/x,owner=-1:0",
        "/x,owner=4294967295:0"
      })
  void refusesWithTheReason(String text) {
    var e = assertThrows(IllegalArgumentException.class, () -> ShareSpec.parse(text, HOST));
    assertTrue(e.getMessage().length() > 10, e.getMessage());
  }
}
