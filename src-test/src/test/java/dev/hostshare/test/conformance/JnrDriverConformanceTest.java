package dev.hostshare.test.conformance;

import dev.hostshare.test.system.Driver;
import java.util.HashMap;
import java.util.Map;

/** The suite on a mount by jnr-fuse. */
class JnrDriverConformanceTest extends MountedConformanceTest {
  private static final String ACLS =
      "| POSIX ACLs | stored and shown, not enforced by the kernel |";
  private static final String ACL_CREATION =
      "| default ACLs | of no effect on what is made in the directory";
  private static final String HIDDEN = "stays in its folder as `.fuse_hidden…` until it is closed";
  private static final String REMOVED_DIRECTORY = "| a removed directory that is in use | ";
  private static final String LINKED_PAGES =
      "| stores in a shared mapping of a file with hard links | ";
  private static final String UTF_8 = "| names and symlink targets that are not UTF-8 | ";
  private static final String FLAGS = "| RENAME_NOREPLACE, RENAME_EXCHANGE | EINVAL |";
  private static final String UNKNOWN =
      "| O_TMPFILE, SEEK_DATA, SEEK_HOLE, copy_file_range | not supported; programs fall back |";
  private static final String BIRTH = "| birth time | not shown |";

  JnrDriverConformanceTest() {
    super(Driver.JNR);
  }

  @Override
  Map<String, String> limits() {
    var limits = new HashMap<String, String>();
    limits.put("AclCases.defaultAclTakesThePlaceOfTheUmask", ACL_CREATION);
    limits.put("AclCases.entryForAGroupGrantsToItsMembers", ACLS);
    limits.put("AclCases.entryForAUserGrants", ACLS);
    limits.put("AclCases.entryForAUserOverrulesHisGroups", ACLS);
    limits.put("AclCases.maskLimitsAndIsTheGroupBits", ACLS);
    limits.put("AclCases.removedAclLeavesTheMode", ACLS);
    limits.put("DirectoryCases.removedDirectoryStaysOpenAndDead", REMOVED_DIRECTORY);
    limits.put("DirectoryCases.workingDirectoryMayBeRemoved", REMOVED_DIRECTORY);
    limits.put("MapCases.mappingOutlivesItsDescriptorAndItsName", LINKED_PAGES);
    limits.put("NameCases.anyByteButSlashAndNulIsAName", UTF_8);
    limits.put("SymlinkCases.targetMayBeAnything", UTF_8);
    limits.put("OpenCases.unnamedFileGetsANameByLink", UNKNOWN);
    limits.put("OpenCases.unnamedFileGoesWithItsDescriptor", UNKNOWN);
    limits.put("RenameCases.exchangeSwapsAnyTwo", FLAGS);
    limits.put("RenameCases.noreplaceKeepsWhatIsThere", FLAGS);
    limits.put("SpaceCases.dataAndHolesAreFound", UNKNOWN);
    limits.put("TimeCases.birthTimeComesFirstAndStays", BIRTH);
    limits.put("UnlinkedCases.fileInARemovedTreeStaysReadable", HIDDEN);
    return limits;
  }
}
