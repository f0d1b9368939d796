package dev.hostshare.agent.docker;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class BindSourcesTest {
  private static List<String> create(String body) throws UncheckableException {
    return BindSources.of(Endpoint.CONTAINER_CREATE, body.getBytes(UTF_8));
  }

  /** Each binds /x, by what some engine makes of it. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "{'HostConfig':{'Binds':['/x:/a']}}",
        "{'HostConfig':{'Binds':['v:/b','/x:/a:ro,z']}}",
        "{'HostConfig':{'Mounts':[{'Type':'bind','Source':'/x','Target':'/a'}]}}",
        "{'hostconfig':{'binds':['/x:/a']}}",
        "{'hostConfig':{'mounts':[{'TYPE':'bind','source':'/x'}]}}",
        // Go's encoding/json folds the long s and the sign for kelvin, too.
        "{'Ho\u017ftConfig':{'Bind\u017f':['/x:/a']}}",
        "{'HostConfig':{'\\u0042inds':['\\u002fx:/a']}}",
        "{'HostConfig':{'Binds':['/x:/a']},'HostConfig':{'Memory':1}}",
        "{'HostConfig':{'Binds':['/x:/a'],'binds':[null]}}",
        "{'HostConfig':{'Binds':['v:/a'],'binds':['/x:/a']}}",
        "{'HostConfig':{'Binds':['/x:/a']},'HostConfig':null}",
        // Engines up to 28 take what is not in HostConfig.
        "{'Image':'i','Binds':['/x:/a']}",
        "{'Mounts':[{'Type':'bind','Source':'/x'}]}",
        "{'TaskTemplate':{'ContainerSpec':{'Mounts':[{'Type':'bind','Source':'/x'}]}}}",
        "{'HostConfig':{'Mounts':[{'Type':'volume','Source':'v','VolumeOptions':{'DriverConfig':"
            + "{'Name':'local','Options':{'type':'none','o':'bind','device':'/x'}}}}]}}",
        "{'HostConfig':{'Mounts':[{'Type':'volume','volumeoptions':{'driverconfig':"
            + "{'options':{'o':'ro,rbind','device':'/x'}}}}]}}",
        "{'HostConfig':{'Mounts':[{'Type':'Bind','Source':'/x'}]}}",
        "{'HostConfig':{'Mounts':[{'Type':'of-tomorrow','Source':'/x'}]}}",
        "{'HostConfig':{'Mounts':[{'Source':'/x'}]}}",
        "{'HostConfig':{'Mounts':[{'Type':'bind','Type':null,'Source':'/x'}]}}",
        "{'HostConfig':{'Binds':['/x:/a']}} {'HostConfig':{'Binds':[]}}",
        "  {'HostConfig' : { 'Binds' : [ '/x:/a' , '/x:/b' ] } }",
        "{'HostConfig':{'Binds':['/x:/a:ro:more']}}"
      })
  void findsWhatIsBound(String body) throws Exception {
    assertEquals(List.of("/x"), create(body.replace('\'', '"')));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{}",
        "null",
        "[]",
        "7",
        "{'HostConfig':null}",
        "{'HostConfig':{'Binds':null,'Mounts':null,'VolumesFrom':['other']}}",
        "{'HostConfig':{'Binds':['/anonymous','name:/x','name:/x:ro','../up:/x','~/x:/y','',':']}}",
        "{'HostConfig':{'Tmpfs':{'/x':'size=1'},'Devices':[{'PathOnHost':'/dev/x'}]}}",
        "{'Volumes':{'/x':{}},'Labels':{'Binds':'/x:/y','Mounts':'/x'}}",
        "{'HostConfig':{'Mounts':[{'Type':'volume','Source':'name'},{'Type':'tmpfs'},null,3,"
            + "{'Type':'npipe','Source':'/x'},{'Type':'image','Source':'/x'},{'Type':'cluster'},"
            + "{'Type':'volume','VolumeOptions':{'DriverConfig':{'Name':'other',"
            + "'Options':{'o':'bind','device':'/x'}}}},"
            + "{'Type':'volume','VolumeOptions':{'DriverConfig':{"
            + "'Options':{'type':'nfs','o':'addr=1.2.3.4','device':':/x'}}}}]}}",
        // A label of a user's own may come in two cases.
        "{'Labels':{'type':'a','Type':'b'},'HostConfig':{'Binds':[]}}"
      })
  void othersAreNoPaths(String body) throws Exception {
    assertEquals(List.of(), create(body.replace('\'', '"')));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "{",
        "{'HostConfig':{'Binds':['/x:/a']",
        "{\\'a\\':1}",
        "{a:1}",
        "{'a':1;'b':2}",
        "{'a':tRue}",
        "#\n{}",
        // An element keeps what the list before it had: Type of one, Source of the other.
        "{'HostConfig':{'Mounts':[{'Source':'/x'}],'mounts':[{'Type':'bind'}]}}",
        "{'HostConfig':{'Mounts':[{'Source':'/x'}]},'HostConfig':{'Mounts':[{'Type':'bind'}]}}",
        "{'HostConfig':{'Mounts':[{'Type':'volume','type':'bind','Source':'/x'}]}}",
        "{'HostConfig':{'Mounts':[{'Type':'bind','Source':'/y','source':'/x'}]}}",
        "{'HostConfig':{'Mounts':[{'Type':'volume','VolumeOptions':{'DriverConfig':{'Options':{'o':'bind'}}},"
            + "'VolumeOptions':{'DriverConfig':{'Options':{'device':'/x'}}}}]}}",
        "{'HostConfig':{'Mounts':[{'Type':'volume','VolumeOptions':{'DriverConfig':{"
            + "'Options':{'o':'bind'},'options':{'device':'/x'}}}}]}}",
        "{'HostConfig':{'Mounts':[{'Type':'volume','VolumeOptions':{'DriverConfig':{"
            + "'Options':{'o':'bind','device':'x'}}}}]}}",
        "{'HostConfig':{'Binds':['/x\\u0000:/a']}}",
        "{'HostConfig':{'Binds':['/x\\ud800:/a']}}"
      })
  void whatCanBeReadInTwoWaysIsRefused(String body) {
    assertThrows(UncheckableException.class, () -> create(body.replace('\'', '"')));
  }

  @Test
  void bytesThatAreNotUtf8AreRefused() {
    byte[] body = "{\"HostConfig\":{\"Binds\":[\"/x?:/a\"]}}".getBytes(UTF_8);
    body[new String(body, UTF_8).indexOf('?')] = (byte) 0xff;
    assertThrows(UncheckableException.class, () -> BindSources.of(Endpoint.CONTAINER_CREATE, body));
  }

  @Test
  void depthIsBounded() {
    assertThrows(UncheckableException.class, () -> create("[".repeat(500_000)));
    assertThrows(UncheckableException.class, () -> create("{\"a\":".repeat(200_000)));
  }

  @Test
  void numberOfPathsIsBounded() {
    var binds = new StringBuilder("{\"Binds\":[");
    for (int i = 0; i < 1001; i++) {
      binds.append(i == 0 ? "" : ",").append("\"/x").append(i).append(":/a\"");
    }
    var thrown = assertThrows(UncheckableException.class, () -> create(binds + "]}"));
    assertTrue(thrown.getMessage().contains("more than 1000"), thrown.getMessage());
  }

  @Test
  void volumeThatBindsIsFound() throws Exception {
    for (String body :
        List.of(
            "{'Name':'v','Driver':'local','DriverOpts':{'type':'none','o':'bind','device':'/x'}}",
            "{'driveropts':{'device':'/x','o':'rw, RBIND'}}",
            "{'Driver':'','DriverOpts':{'type':'ext4','o':'bind','device':'/x'}}")) {
      assertEquals(
          List.of("/x"),
          BindSources.of(Endpoint.VOLUME_CREATE, body.replace('\'', '"').getBytes(UTF_8)),
          body);
    }
    for (String body :
        List.of(
            "{'Name':'v'}",
            "{'DriverOpts':null}",
            "{'DriverOpts':{'type':'tmpfs','device':'tmpfs','o':'size=1m'}}",
            "{'Driver':'other','DriverOpts':{'o':'bind','device':'/x'}}")) {
      assertEquals(
          List.of(),
          BindSources.of(Endpoint.VOLUME_CREATE, body.replace('\'', '"').getBytes(UTF_8)),
          body);
    }
  }
}
