#!/usr/bin/env bash
# Starts a SLURM of several nodes on this one machine, for the tests: up.sh [NODES] [CPUS]
#
#   SLURM_TEST_BASE=FOLDER   where it lives (default: hpc_cr-slurm-USER in the temporary folder)
#   HPC_CR_APT=0             never install SLURM by apt (done only as root, and only if missing)
#
# Then: export SLURM_CONF=FOLDER/slurm.conf, and sbatch, srun, squeue, scontrol work. A second call
# starts again what has died since (a killed node, say) and leaves what runs. down.sh ends it all.
#
# Each node n1, n2, ... is a slurmd with a host name, /dev/shm and processes of its own: without
# that, Open MPI takes two nodes for one, and their shared-memory files collide. Killing the
# process that FOLDER/nI.pid names takes a node and everything on it down at once, as a power cut
# does. A munge daemon of its own leaves the system's munge and SLURM alone.
set -u
. "$(dirname "$(readlink -f "$0")")/instance.sh"
here=$(dirname "$(readlink -f "$0")")
nodes=${1:-3} cpus=${2:-2}
[[ $nodes =~ ^[1-9][0-9]?$ && $cpus =~ ^[1-9][0-9]?$ ]] ||
    complain "usage: up.sh [NODES] [CPUS], each from 1 to 99, not '$nodes' '$cpus'"

# ---- what is needed -------------------------------------------------------------------------

missing() {  # Debian packages of what is not there
    command -v slurmctld >/dev/null || echo slurmctld
    command -v slurmd >/dev/null || echo slurmd
    command -v srun >/dev/null || echo slurm-client
    command -v munged >/dev/null || echo munge
    command -v unshare >/dev/null || echo util-linux
}

install_missing() {
    local packages; packages=$(missing | xargs)
    [ -z "$packages" ] && return
    [ "${HPC_CR_APT:-1}" != 0 ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null ||
        complain "not installed: $packages (Debian's names; as root, and unless HPC_CR_APT=0," \
            "it is installed by apt)"
    echo "  apt-get update && apt-get install -y --no-install-recommends $packages"
    { DEBIAN_FRONTEND=noninteractive && export DEBIAN_FRONTEND && apt-get update &&
        apt-get install -y --no-install-recommends -o DPkg::Lock::Timeout=120 $packages
    } >"$BASE/apt.log" 2>&1 </dev/null ||
        complain "apt failed: $(tail -n 1 "$BASE/apt.log") (all of it in $BASE/apt.log)"
}

# ---- configuration --------------------------------------------------------------------------

free_ports() {  # the first of nodes + 1 unused ports, below those that clients are given
    local start port
    for start in $(seq 15000 100 30000); do
        for port in $(seq "$start" $((start + nodes))); do
            (: </dev/tcp/127.0.0.1/"$port") 2>/dev/null && continue 2
        done
        echo "$start" && return
    done
}

configuration() {  # configuration PORT
    local memory tasks=task/none
    memory=$(awk '/^MemTotal/ {print int($2 / 1024)}' /proc/meminfo)
    # ranks can be bound to cores only where the node's cores exist
    [ "$cpus" -le "$(env -u OMP_NUM_THREADS nproc)" ] && tasks=task/affinity
    sed -e "s#@HOST@#$(hostname -s)#; s#@PORT@#$1#; s#@TASKS@#$tasks#; s#@BASE@#$BASE#g" \
        -e "s#@N@#$nodes#; s#@FIRST@#$(($1 + 1))#; s#@LAST@#$(($1 + nodes))#" \
        -e "s#@CPUS@#$cpus#g; s#@MEMORY@#$memory#" "$here/slurm.conf.in"
}

is_as_asked() {  # it runs, with these nodes and CPUs
    local port
    process_of slurmctld >/dev/null && port=$(sed -n 's/^SlurmctldPort=//p' "$SLURM_CONF") &&
        [ "$(configuration "$port")" = "$(cat "$SLURM_CONF")" ]
}

clear_former() {  # what a former instance left, its job records included
    stop_all
    rm -rf "$BASE"/{state,slurmctld.*,munge*,n[0-9]*}
    mkdir -p "$BASE/state"
    local i
    for i in $(seq "$nodes"); do mkdir -p "$BASE/n$i/spool" "$BASE/n$i/tmp"; done
    configuration "$(free_ports)" >"$SLURM_CONF"
    # with the processes found by parent, cgroups are not used; v1 does not look for any
    echo "CgroupPlugin=cgroup/v1" >"$BASE/cgroup.conf"
    (umask 077; head -c 1024 /dev/urandom >"$BASE/munge.key")
}

# ---- the daemons ----------------------------------------------------------------------------

start_munged() {
    process_of munged >/dev/null && return
    launch munged munged --foreground --force --socket="$BASE/munge.socket" \
        --key-file="$BASE/munge.key" --pid-file="$BASE/munge.own.pid" \
        --seed-file="$BASE/munge.seed" --log-file="$BASE/munged.log"
    local i
    for i in $(seq 50); do
        munge --socket="$BASE/munge.socket" --no-input >/dev/null 2>&1 && return
        sleep 0.1
    done
    fail "munged does not answer"
}

start_node() {  # start_node NAME: bash is the node's first process and buries its orphans
    process_of "$1" >/dev/null && return
    launch "$1" unshare --uts --mount --pid --fork --kill-child --mount-proc bash -c "
        hostname $1 && mount -t tmpfs tmpfs /dev/shm && slurmd -D -N $1 -f '$BASE/slurm.conf'
        exit"
}

fail() {  # fail TEXT: with the ends of all logs
    printf 'hpc_cr test SLURM: %s. The ends of the logs in %s:\n' "$*" "$BASE" >&2
    tail -v -n 8 "$BASE"/*.out "$BASE"/*.log "$BASE"/n*/slurmd.log 2>/dev/null >&2
    exit 1
}

answers() {  # answers NAME: it works, and it is the one started last, not the one killed before
    local told began
    told=$(scontrol --oneliner show node "$1" 2>/dev/null)
    began=$(sed -n 's/.*SlurmdStartTime=\([0-9T:-]*\).*/\1/p' <<<"$told")
    grep -qE ' State=(IDLE|MIXED|ALLOCATED|COMPLETING)(\+COMPLETING)? ' <<<"$told" &&
        [ "$(date -d "$began" +%s)" -ge "$(stat -c %Y "$BASE/$1.pid")" ]
}

await_nodes() {  # at most half a minute; as a rule it is half a second
    local i name waiting
    for i in $(seq 150); do
        waiting=''
        for name in $(seq -f n%.0f "$nodes"); do answers "$name" || waiting+=" $name"; done
        [ -z "$waiting" ] && return
        process_of slurmctld >/dev/null || fail "slurmctld ended"
        sleep 0.2
    done
    sinfo --Node --long >&2
    fail "no answer after 30 s from$waiting"
}

main() {
    [ "$(id -u)" = 0 ] ||
        complain "must be started as root: each node has its own host name and mounts"
    mkdir -p "$BASE" || complain "the folder $BASE cannot be made (SLURM_TEST_BASE)"
    exec 9>"$BASE/lock"
    flock 9
    install_missing
    unset $(compgen -v SLURM_)   # as of a job in which this may run
    export SLURM_CONF=$BASE/slurm.conf
    is_as_asked || clear_former
    start_munged
    process_of slurmctld >/dev/null || launch slurmctld slurmctld -D -f "$SLURM_CONF"
    local i
    for i in $(seq "$nodes"); do start_node "n$i"; done
    await_nodes
    echo "export SLURM_CONF=$SLURM_CONF"
}

main
