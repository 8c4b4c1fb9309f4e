#!/usr/bin/env bash
# Starts a SLURM of three nodes (up.sh), runs a command with it, ends it whatever happens, and
# passes on the command's status: with_slurm.sh COMMAND...
set -u
here=$(dirname "$(readlink -f "$0")")
if [ -z "${SLURM_TEST_BASE:-}" ]; then    # a folder for this one time, kept only after a failure
    SLURM_TEST_BASE=$(mktemp -d "${TMPDIR:-/tmp}/hpc_cr-slurm-XXXXXX") || exit 1
    passing=yes
fi
export SLURM_TEST_BASE

finish() {
    local status=$?
    "$here/down.sh"
    if [ "$status" = 0 ] && [ -n "${passing:-}" ]; then
        rm -rf "$SLURM_TEST_BASE"
    else
        echo "SLURM's logs: $SLURM_TEST_BASE" >&2
    fi
    exit "$status"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

"$here/up.sh" 3 2 || exit
unset $(compgen -v SLURM_ | grep -v '^SLURM_TEST_BASE$')   # as of a job in which this may run
export SLURM_CONF=$SLURM_TEST_BASE/slurm.conf
"$@"
