# Sourced by bin/hostshare, bin/hostshare-agent and bin/fsbench: starts a Java program of this project. POSIX sh.
#
# launch PROGRAM MODULE MAIN JVM_FLAGS MEMORY OVERHEAD LEAST -- ARGS...
#   PROGRAM    the launcher's name, for messages
#   MODULE     whose jars to run: lib/MODULE where installed, MODULE/target/lib in a work tree
#   JVM_FLAGS  one word list: collector and code
#   MEMORY     MiB that the program may have resident, unless --memory or -o memory= among ARGS says otherwise
#   OVERHEAD   MiB of it that are neither heap nor buffers: code, classes, stacks
#   LEAST      MiB that it cannot do with less than
# $bin is the launcher's folder, links resolved. $lasting is a word list: the commands and options that make the program stay, as against doing one thing and
# ending. HOSTSHARE_JAVA_OPTS adds JVM flags.
launch() {
  program=$1 module=$2 main=$3 flags=$4 memory=$5 overhead=$6 least=$7
  shift 8
  set_memory "$@"
  buffers=$(((memory - overhead) / 4))
  flags="$flags -Xmx$((memory - overhead - buffers))m -XX:MaxDirectMemorySize=${buffers}m -Dhostshare.buffers=$buffers"
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
  set_charset
  # The cache of loaded and linked classes, made by bin/setup. The JVM ignores one that does not fit its version or its jars; it costs time, nothing else.
  cache=$lib/$module.aot
  if [ -n "${HOSTSHARE_AOT_OUTPUT:-}" ]; then
    aot=-XX:AOTCacheOutput=$HOSTSHARE_AOT_OUTPUT
  elif [ -r "$cache" ]; then
    aot=-XX:AOTCache=$cache
  else
    aot=-Xshare:auto
  fi
  will_last "$@" || [ -n "${HOSTSHARE_AOT_OUTPUT:-}" ] || flags="$flags -XX:TieredStopAtLevel=1"
  # Netty notes where every 128th of its buffers was used, to tell of those that are lost: that is a stack trace for each 60 KiB of a large read.
  # shellcheck disable=SC2086 # word lists
  exec "$java_home/bin/java" "$aot" -Xlog:disable -Xlog:all=error,aot*=off,cds*=off:stderr $flags \
    --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow \
    -Dio.netty.leakDetection.level=disabled "-Dhostshare.launcher=$bin/$program" ${HOSTSHARE_JAVA_OPTS:-} \
    -cp "$class_path" "$main" "$@"
}

# A program that ends at once has no use for the optimising compiler, which takes the processor from it meanwhile: hostshare --version takes 0.41 s
# rather than 0.61 s.
will_last() {
  for argument in "$@"; do
    for word in $lasting; do
      [ "${argument%=true}" != "$word" ] || return 0
    done
  done
  return 1
}

# File names are UTF-8. The JVM takes their charset from the locale and can name no other file, nor be told otherwise: where the locale has another charset, or
# is not installed (`locale` complains), the program runs in one that every glibc system has.
set_charset() {
  if [ "$(locale charmap 2>&1)" != UTF-8 ]; then
    export LC_ALL=C.UTF-8
  fi
}

# Sets memory to what the arguments ask for. What cannot be read is left to the program, which refuses it.
set_memory() {
  option=
  for argument in "$@"; do
    case $option$argument in
      --memory=* | --memory:*) read_memory "${argument#--memory=}" ;;
      -o:* | -o*) read_memory_among "${argument#-o}" ;;
    esac
    case $argument in
      --memory | -o) option=$argument: ;;
      *) option= ;;
    esac
  done
}

read_memory_among() {
  case ,$1, in
    *,memory=*)
      among=${1##*memory=}
      read_memory "${among%%,*}"
      ;;
  esac
}

read_memory() {
  number=${1%?}
  case $1 in
    *[mM]) unit=1 ;;
    *[gG]) unit=1024 ;;
    *) return 0 ;;
  esac
  case $number in
    '' | 0* | *[!0-9]* | ??????*) return 0 ;;
  esac
  [ $((number * unit)) -lt "$least" ] || memory=$((number * unit))
}
