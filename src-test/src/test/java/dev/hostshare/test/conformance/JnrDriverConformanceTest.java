package dev.hostshare.test.conformance;

import dev.hostshare.test.system.Driver;
import java.util.Map;

/** The suite on a mount by jnr-fuse. */
class JnrDriverConformanceTest extends MountedConformanceTest {
  private static final String ACLS = "POSIX ACLs";
  private static final String FLAGS = "RENAME_NOREPLACE, RENAME_EXCHANGE";
  private static final String REMOVED_DIRECTORY = "a removed directory that is open";
  private static final String UNKNOWN = "O_TMPFILE, SEEK_DATA, SEEK_HOLE, copy_file_range";

  JnrDriverConformanceTest() {
    super(Driver.JNR);
  }

  @Override
  Map<String, String> limits() {
    return Map.ofEntries(
        Map.entry("AclCases.defaultAclTakesThePlaceOfTheUmask", ACLS),
        Map.entry("AclCases.entryForAUserGrants", ACLS),
        Map.entry("AclCases.maskLimitsAndIsTheGroupBits", ACLS),
        Map.entry("AclCases.removedAclLeavesTheMode", ACLS),
        Map.entry("AclCases.entryForAGroupGrantsToItsMembers", ACLS),
        Map.entry("AclCases.entryForAUserOverrulesHisGroups", ACLS),
        Map.entry("DirectoryCases.removedDirectoryStaysOpenAndDead", REMOVED_DIRECTORY),
        Map.entry("DirectoryCases.workingDirectoryMayBeRemoved", REMOVED_DIRECTORY),
        Map.entry("MapCases.mappingOutlivesItsDescriptorAndItsName", "mappings of hard links"),
        Map.entry("OpenCases.unnamedFileGetsANameByLink", UNKNOWN),
        Map.entry("OpenCases.unnamedFileGoesWithItsDescriptor", UNKNOWN),
        Map.entry("SpaceCases.dataAndHolesAreFound", UNKNOWN),
        Map.entry("RenameCases.exchangeSwapsAnyTwo", FLAGS),
        Map.entry("RenameCases.noreplaceKeepsWhatIsThere", FLAGS),
        Map.entry("TimeCases.birthTimeComesFirstAndStays", "birth time"),
        Map.entry(
            "NameCases.anyByteButSlashAndNulIsAName",
            "names and symlink targets that are not UTF-8"),
        Map.entry(
            "SymlinkCases.targetMayBeAnything", "names and symlink targets that are not UTF-8"),
        Map.entry("UnlinkedCases.fileInARemovedTreeStaysReadable", "a removed file that is open"));
  }
}
