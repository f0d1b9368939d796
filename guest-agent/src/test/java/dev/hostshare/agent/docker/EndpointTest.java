package dev.hostshare.agent.docker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class EndpointTest {
  @ParameterizedTest
  @ValueSource(
      strings = {
        "/containers/create",
        "/v1.41/containers/create",
        "/v1.41/containers/create?name=x&platform=",
        "/v1.41/containers/%63reate",
        "/v1.41/containers%2Fcreate",
        "/v1.41%2fcontainers/create",
        "//v1.41//containers///create/",
        "/v1.41/./containers/create",
        "/v1.41/x/../containers/create",
        "/../v1.41/containers/create",
        "/v1.41/v1.41/containers/create",
        "http://docker/v1.41/containers/create",
        "http://docker/containers/create?a=/b",
        "/v1.41/Containers/CREATE"
      })
  void nothingGetsRoundACreate(String uri) throws Exception {
    assertEquals(Endpoint.CONTAINER_CREATE, Endpoint.of("POST", uri));
  }

  @ParameterizedTest
  @CsvSource({
    "POST, /v1.41/volumes/create, VOLUME_CREATE",
    "POST, /v1.41/services/create, SERVICE",
    "POST, /services/abc/update?version=3, SERVICE",
    "POST, /v1.23/containers/abc/start, CONTAINER_START_WITH_MOUNTS",
    "POST, /v1.9/containers/a/b/start, CONTAINER_START_WITH_MOUNTS",
    "POST, /v1..2/containers/abc/start, CONTAINER_START_WITH_MOUNTS",
    "POST, /v1.24/containers/abc/start, OTHER",
    "POST, /containers/abc/start, OTHER",
    "POST, /v1.41/containers/abc/update, OTHER",
    "POST, /v1.41/containers/create/json, OTHER",
    "GET, /v1.41/containers/create, OTHER",
    "GET, /_ping, OTHER",
    "POST, /, OTHER",
    "POST, '', OTHER",
    "POST, /v1.41, OTHER",
    "POST, /images/create?fromImage=containers/create, OTHER"
  })
  void othersAreTold(String method, String uri, Endpoint expected) throws Exception {
    assertEquals(expected, Endpoint.of(method, uri));
  }

  @Test
  void brokenEncodingIsRefused() {
    for (String uri : new String[] {"/containers/creat%6", "/%zz", "/a%"}) {
      assertThrows(UncheckableException.class, () -> Endpoint.of("POST", uri), uri);
    }
  }
}
