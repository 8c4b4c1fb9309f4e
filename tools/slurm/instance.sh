# What up.sh and down.sh share: where the SLURM for the tests lives, and which processes are its.
#
# Each daemon is known by a file NAME.pid that holds its process number and the moment it was
# started, so that a number which the system has given to another process is never signalled.

BASE=$(realpath -m "${SLURM_TEST_BASE:-${TMPDIR:-/tmp}/hpc_cr-slurm-$(id -un)}")
PATH=$PATH:/usr/sbin:/sbin:/usr/local/sbin

complain() { printf 'hpc_cr test SLURM: %s\n' "$*" >&2; exit 1; }

birth() {  # birth NUMBER: clock ticks from boot to its start; nothing for a dead one (state Z)
    sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | awk '$1 != "Z" {print $20}'
}

process_of() {  # process_of NAME: its process number; fails where it does not run (any more)
    local number moment
    read -r number moment 2>/dev/null <"$BASE/$1.pid" && [ -n "$moment" ] &&
        [ "$(birth "$number")" = "$moment" ] && echo "$number"
}

launch() {  # launch NAME COMMAND...: a daemon in a session of its own
    local name=$1; shift
    setsid "$@" >>"$BASE/$name.out" 2>&1 </dev/null 9>&- &
    echo "$! $(birth $!)" >"$BASE/$name.pid"
}

stop() {  # stop NAME: a node goes with everything that runs on it
    local number
    if number=$(process_of "$1"); then
        kill -KILL "$number" 2>/dev/null   # what they would tidy up is thrown away anyway
        while process_of "$1" >/dev/null; do sleep 0.05; done
    fi
    rm -f "$BASE/$1.pid"
}

stop_all() {
    local file
    for file in "$BASE"/n[0-9]*.pid "$BASE"/slurmctld.pid "$BASE"/munged.pid; do
        [ ! -e "$file" ] || stop "$(basename "$file" .pid)"
    done
}
