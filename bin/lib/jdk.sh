# Sourced by the scripts in bin/: finds the Java that hostshare needs. POSIX sh.

# Java runs our sources and our launchers from this version on.
HOSTSHARE_JAVA=25

# For MAVEN_OPTS: keeps Maven's own libraries from warning at every start.
maven_java_options="--sun-misc-unsafe-memory-access=allow --enable-native-access=ALL-UNNAMED"

# Prints the major version of the JDK in folder $1 if it can run here, else nothing. Reads the JDK's own `release` file: asking `java -version` would cost a
# launcher 40 ms at every start.
jdk_major() {
  [ -x "$1/bin/java" ] && [ -r "$1/release" ] || return 0
  version= arch=
  while IFS='=' read -r key value; do
    value=${value#\"}
    value=${value%\"}
    case $key in
      JAVA_VERSION) version=${value%%[!0-9]*} ;;
      OS_ARCH) arch=$value ;;
    esac
  done <"$1/release"
  case "$(uname -m):$arch" in
    x86_64:x86_64 | x86_64:amd64 | aarch64:aarch64 | arm64:aarch64) echo "$version" ;;
  esac
}

# Sets java_home to a JDK of at least HOSTSHARE_JAVA, or ends with status 1 and a message.
# $1: the program that speaks.
find_jdk() {
  case "$(uname -s):$(uname -m)" in
    Linux:x86_64 | Linux:aarch64) ;;
    *)
      echo "$1: runs on Linux on x86_64 or aarch64; this is $(uname -s) on $(uname -m)" >&2
      exit 1
      ;;
  esac
  java_home=
  for candidate in "${JAVA_HOME:-}" /usr/lib/jvm/* /opt/jdk*; do
    [ -n "$candidate" ] || continue
    major=$(jdk_major "$candidate")
    if [ "${major:-0}" -ge "$HOSTSHARE_JAVA" ]; then
      java_home=$candidate
      return 0
    fi
  done
  echo "$1: no JDK $HOSTSHARE_JAVA or newer for $(uname -m) in JAVA_HOME (${JAVA_HOME:-not set}), /usr/lib/jvm or /opt/jdk*." >&2
  echo "$1: install one, for example Eclipse Temurin (https://adoptium.net, package temurin-$HOSTSHARE_JAVA-jdk), or set JAVA_HOME." >&2
  exit 1
}
