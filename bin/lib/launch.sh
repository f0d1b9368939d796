# Sourced by bin/hostshare, bin/hostshare-agent and bin/compare: starts a Java program of this project. POSIX sh.
#
# launch PROGRAM MODULE MAIN JVM_FLAGS -- ARGS...
#   PROGRAM    the launcher's name, for messages
#   MODULE     whose jars to run: lib/MODULE where installed, MODULE/target/lib in a work tree
#   JVM_FLAGS  one word list: memory and collector
# $bin is the launcher's folder, links resolved. HOSTSHARE_JAVA_OPTS adds JVM flags.
launch() {
  program=$1 module=$2 main=$3 flags=$4
  shift 5
  lib=$bin/../lib/$module
  [ -d "$lib" ] || lib=$bin/../$module/target/lib
  class_path=
  for jar in "$lib"/*.jar; do
    class_path=$class_path${class_path:+:}$jar
  done
  if [ ! -e "${class_path%%:*}" ]; then
    echo "$program: not built yet: run bin/setup first" >&2
    exit 1
  fi
  find_jdk "$program"
  # The cache of loaded and linked classes, made by bin/setup. The JVM ignores one that does not fit its version or its jars; it costs time, nothing else.
  cache=$lib/$module.aot
  if [ -n "${HOSTSHARE_AOT_OUTPUT:-}" ]; then
    aot=-XX:AOTCacheOutput=$HOSTSHARE_AOT_OUTPUT
  elif [ -r "$cache" ]; then
    aot=-XX:AOTCache=$cache
  else
    aot=-Xshare:auto
  fi
  # shellcheck disable=SC2086 # word lists
  exec "$java_home/bin/java" "$aot" -Xlog:disable -Xlog:all=error,aot*=off,cds*=off:stderr $flags \
    --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow \
    "-Dhostshare.launcher=$bin/$program" ${HOSTSHARE_JAVA_OPTS:-} \
    -cp "$class_path" "$main" "$@"
}
