# What the batch scripts have in common: threads, launcher, signals, requeueing. Sourced by the
# scripts beside it; `hpc-cr submit` puts it into the script that it writes.
#
# Variables that a user may set before sbatch, which hands them on:
#   HPC_CR_LAUNCH    how ranks are started, such as "srun --mpi=pmi2 -K" (before -n N)
#   HPC_CR_RESTARTS  how often a job may requeue itself; default 100

say() { echo "hpc-cr job $SLURM_JOB_ID: $*" >&2; }

# One core per rank: thread pools of the libraries would only fight with the other ranks.
export OMP_NUM_THREADS=1 NUMBA_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1
# srun does not look at the job's own --cpus-per-task since SLURM 22.05.
export SRUN_CPUS_PER_TASK=${SLURM_CPUS_PER_TASK:-1}
# Where sbatch was told --export=NONE, srun would start the ranks without what is loaded here.
export SLURM_EXPORT_ENV=ALL

# ---- profile
# Further variables, for the ready scripts:
#   HPC_CR_PROFILE   what to load: a name in profiles/ or a file of your own; default: nothing
#                    where hpc-cr is found already, else the environment HPC_CR_VENV
#   HPC_CR_VENV      a Python environment; default: .venv of the checkout
venv=${HPC_CR_VENV:-$place/../../.venv}

load_profile() {
    local profile=${HPC_CR_PROFILE:-}
    if [ -n "$profile" ]; then
        [ -r "$profile" ] || profile=$place/profiles/$profile.sh
        [ -r "$profile" ] || { say "no profile and no file: HPC_CR_PROFILE=$HPC_CR_PROFILE"; exit 2; }
        . "$profile"
    elif ! command -v hpc-cr >/dev/null; then
        . "$venv/bin/activate"
    fi
}

# ---- launcher

choose_launch() {  # sets ranks, their number, and launch, the words that start them before -n
    local threads cores
    command -v hpc-cr >/dev/null || { say "no hpc-cr on the path: which profile loads it?"; exit 2; }
    threads=$(scontrol show node "${SLURMD_NODENAME:-}" | grep -o 'ThreadsPerCore=[0-9]*')
    threads=${threads#*=}
    threads=${threads:-1}
    # without --ntasks or --ntasks-per-node: a rank on every core, or on as many as
    # --cpus-per-task says, which counts threads
    cores=$(((${SLURM_CPUS_PER_TASK:-1} + threads - 1) / threads))
    ranks=${SLURM_NTASKS:-$((SLURM_NNODES * (SLURM_CPUS_ON_NODE / threads / cores)))}
    if [ -n "${HPC_CR_LAUNCH:-}" ]; then
        read -ra launch <<<"$HPC_CR_LAUNCH"
    elif srun --mpi=list 2>&1 | grep -qw pmix; then
        # -K: when one rank dies, all end; plain srun would let the others wait for ever
        launch=(srun --mpi=pmix -K --cpu-bind=cores)
    else
        launch=(mpirun --bind-to core)
    fi
}

# ---- signals

# SLURM sends SIGUSR1 to this shell alone (--signal=B:USR1@...), and it hands it to srun or mpirun,
# which hand it to the ranks. Sent to the steps (--signal without B:) it would reach mpirun's
# daemons on the other nodes, and none of the ranks on this one.
received='' attended='' interrupted=''
hand_on() {
    received=$1 interrupted=yes
    [ -z "$attended" ] || kill -s "$1" "$attended" 2>/dev/null
}
trap 'hand_on USR1' USR1
trap 'hand_on TERM' TERM

attend() {  # attend COMMAND...: run it and return its status; signals are handed on meanwhile
    local status=127 code
    [ -z "$received" ] || return 75
    "$@" &
    attended=$! interrupted=yes
    while [ -n "$interrupted" ]; do
        interrupted=''
        wait "$attended"  # a signal ends it, too
        code=$?
        [ "$code" -eq 127 ] || status=$code  # 127: the wait before this one saw the end
    done
    attended=''
    return "$status"
}

# ---- runs

restarts=${SLURM_RESTART_COUNT:-0}

compile_kernels() {  # compile_kernels JOB.toml [options of hpc-cr run]: once, not on every rank
    local words=(--compile "$1")
    shift
    while [ $# -gt 0 ]; do
        case $1 in
            --set) words+=(--set "$2"); shift ;;
            --set=*) words+=("$1") ;;
        esac
        shift
    done
    attend hpc-cr plan "${words[@]}"
}

result_file() {  # result_file JOB.toml [options of hpc-cr run]: the file that the run writes
    local out
    out=$(basename "$1")
    out=${out%.*}.h5
    while [ $# -gt 0 ]; do
        case $1 in
            -o | --output) out=$2; shift ;;
            --output=*) out=${1#*=} ;;
            -o*) out=${1#-o} ;;
        esac
        shift
    done
    echo "$out"
}

entries_done() {  # finished entries of a result file; 0 where there is none
    hpc-cr info --entries "$1" 2>/dev/null | tail -n +2 | wc -l
}

run_ranks() {  # run_ranks JOB.toml [options of hpc-cr run]
    say "$ranks ranks on $SLURM_JOB_NODELIST, restart $restarts: ${launch[*]} -n $ranks"
    attend "${launch[@]}" -n "$ranks" hpc-cr run "$@" --resume
}

# Run to the end, over as many time limits as it takes: a run that SIGUSR1 stopped is requeued and
# goes on with --resume. Every other end is the job's end, with the run's exit status.
run_until_complete() {  # run_until_complete JOB.toml [options of hpc-cr run]
    local out before=0 status
    out=$(result_file "$@")
    [ "$restarts" -eq 0 ] || before=$(entries_done "$out")
    compile_kernels "$@" && run_ranks "$@"
    status=$?
    # 138: the signal killed a process that was not ready for it yet
    if [ "$status" -eq 138 ] && [ "$received" = USR1 ]; then status=75; fi
    case $status in
        0 | 2) ;;
        75) requeue "$out" "$before" ;;
        *) await_failed_node ;;
    esac
    exit "$status"
}

# mpirun fails as soon as a node is gone. SLURM takes some minutes to find out (SlurmdTimeout), and
# then requeues the job without that node, if the job still exists.
await_failed_node() {
    [ "$SLURM_NNODES" -gt 1 ] && [ -z "$received" ] || return
    attend env -u SLURM_NTASKS_PER_NODE -u SLURM_DISTRIBUTION timeout 60 srun --quiet --overlap \
        --nodes="$SLURM_NNODES" --ntasks="$SLURM_NNODES" --ntasks-per-node=1 true 2>/dev/null &&
        return
    say "a node does not answer: waiting for SLURM, which requeues the job when it notices"
    attend sleep 900
}

requeue() {  # requeue FILE ENTRIES: this job, unless it is of no use (finished entries before it)
    local id=$SLURM_JOB_ID most=${HPC_CR_RESTARTS:-100} refused
    # the job id of an array's last task is that of the whole array
    [ -z "${SLURM_ARRAY_JOB_ID:-}" ] || id=${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID
    if [ "$received" = TERM ]; then
        say "stopped by SIGTERM (scancel, or the time limit), not requeued; submit again to go on"
    elif [ "$restarts" -ge "$most" ]; then
        say "not requeued after $restarts restarts (HPC_CR_RESTARTS=$most); submit again to go on"
    elif [ "$restarts" -gt 0 ] && [ "$(entries_done "$1")" -le "$2" ]; then
        say "not requeued: this restart finished no entry within its time limit; ask for more" \
            "(--time), or for more ranks per team (parallel.team_size)"
    elif refused=$(scontrol requeue "$id" 2>&1); then
        say "requeued, goes on with $1 when it starts again"
    else
        say "not requeued: ${refused:-scontrol requeue failed}; submit again to go on"
    fi
}
