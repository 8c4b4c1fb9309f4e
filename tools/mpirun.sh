#!/usr/bin/env bash
# tools/mpirun.sh N COMMAND...: mpirun with the settings this program wants on one machine.
# Prints the line it runs, so that it can be repeated or put into a batch script.
set -eu
n=$1; shift
threads=$(env -u OMP_NUM_THREADS nproc)   # nproc obeys OMP_NUM_THREADS

# One core per rank: thread pools of the libraries would only fight with the other ranks.
export OMP_NUM_THREADS=1 NUMBA_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1
shown="OMP_NUM_THREADS=1 NUMBA_NUM_THREADS=1"
set_and_show() { export "$1"; shown="$shown $1"; }

if ! command -v mpirun >/dev/null; then
    shown="(no mpirun here: one process) $shown"
    launch=()
elif mpirun --version 2>&1 | grep -qE 'Open MPI|OpenRTE'; then
    # -q keeps mpirun's banner from burying the program's one-line errors; Open MPI 5 has no -q.
    launch=(mpirun -q --bind-to none -n "$n")
    major=$(mpirun --version 2>&1 | sed -nE '1s/.*[ v]([0-9]+)\..*/\1/p')
    [ "${major:-4}" -lt 5 ] || launch=(mpirun --bind-to none -n "$n")
    if [ "$(id -u)" = 0 ]; then
        set_and_show OMPI_ALLOW_RUN_AS_ROOT=1
        set_and_show OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
    fi
    # Open MPI counts physical cores as slots, nproc counts hardware threads. Ranks that share
    # a core must yield, or each collective call waits for a time slice of the scheduler.
    slots=$(lscpu -p=Core,Socket 2>/dev/null | grep -v '^#' | sort -u | wc -l)
    [ "$slots" -gt 0 ] && [ "$slots" -le "$threads" ] || slots=$threads
    if [ "$n" -gt "$slots" ] && [ -z "${SLURM_JOB_ID:-}" ]; then
        if [ "${major:-4}" -lt 5 ]; then
            set_and_show OMPI_MCA_rmaps_base_oversubscribe=1
        else
            set_and_show PRTE_MCA_rmaps_default_mapping_policy=:oversubscribe
        fi
    fi
    if [ "$n" -gt "$threads" ]; then
        set_and_show OMPI_MCA_mpi_yield_when_idle=1
    fi
else
    launch=(mpirun -n "$n")
fi
echo "$shown ${launch[*]} $*"
exec "${launch[@]}" "$@"
