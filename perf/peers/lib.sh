# Sourced by the peers' scripts. Each is called as
#
#   perf/peers/PEER make|start|cold|stop|remove WORK [ARGUMENT]
#
# and has WORK for itself: WORK/folder is the folder on the disk, WORK/mount where it is seen. `make` comes first, for all peers before
# any of them is started; `cold` mounts anew with nothing cached on either side; `remove` ends whatever is left, even if it is busy.
set -euo pipefail
LIMIT=30

die() {
  echo "$peer: $*" >&2
  exit 1
}

need() {
  command -v "$1" >/dev/null || [ -x "/usr/sbin/$1" ] || die "$1 is not installed: apt-get install $2, or leave $peer out"
}

# Starts a program in a session of its own, since a Ctrl-C is not for it. $1: its name in WORK; the rest is its command line.
start_daemon() {
  local name=$1
  shift
  setsid "$@" >"$work/$name.log" 2>&1 </dev/null &
  echo $! >"$work/$name.pid"
}

# Returns when a daemon has said something, or fails if it ends before. $1: its name; $2: what, a regular expression.
await_said() {
  local pid
  pid=$(cat "$work/$1.pid")
  timeout "$LIMIT" grep -q -m1 -E "$2" < <(exec tail -n +1 -f --pid="$pid" "$work/$1.log" 2>/dev/null) ||
    die "$1 did not start: $(cat "$work/$1.log")"
}

is_mounted() {
  mountpoint -q "$work/mount"
}

# A mount has no event to wait for that is simpler than to look again. $1: the daemon's name.
await_mounted() {
  local pid tries=0
  pid=$(cat "$work/$1.pid")
  until is_mounted; do
    kill -0 "$pid" 2>/dev/null && [ $((tries += 1)) -lt $((LIMIT * 100)) ] || die "$1 did not mount: $(cat "$work/$1.log")"
    sleep 0.01
  done
}

# Returns when a daemon has ended: nothing of what it had cached is left. $1: its name.
await_end() {
  [ -e "$work/$1.pid" ] || return 0
  timeout "$LIMIT" tail -s 0.01 -f --pid="$(cat "$work/$1.pid")" /dev/null || die "$1 does not end: $(cat "$work/$1.log")"
  rm "$work/$1.pid"
}

# Ends a daemon that does not end by itself. $1: its name.
end_daemon() {
  [ -e "$work/$1.pid" ] || return 0
  kill "$(cat "$work/$1.pid")" 2>/dev/null || true
  await_end "$1"
}

unmount() {
  ! is_mounted || umount "$work/mount"
}

# Pages, dentries and inodes of the whole machine: see proc(5).
drop_caches() {
  sync
  echo 3 >/proc/sys/vm/drop_caches
}

# $1: the command; $2: WORK.
main() {
  local command=${1:?make, start, cold, stop or remove} argument=${3:-}
  work=$(readlink -m "${2:?a folder}")
  case $command in
    make)
      mkdir -p "$work/folder" "$work/mount"
      make "$argument"
      ;;
    start) start ;;
    stop) stop ;;
    cold)
      stop
      drop_caches
      start
      ;;
    remove)
      ! is_mounted || umount --lazy "$work/mount"
      remove
      rm -rf --one-file-system "$work"
      ;;
    *) die "no such command: $command" ;;
  esac
}
