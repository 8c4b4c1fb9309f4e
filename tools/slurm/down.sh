#!/usr/bin/env bash
# Ends the SLURM that up.sh started, its nodes with all that runs on them, and nothing else.
# SLURM_TEST_BASE as for up.sh. The logs stay in that folder.
set -u
. "$(dirname "$(readlink -f "$0")")/instance.sh"
[ -d "$BASE" ] || exit 0
exec 9>"$BASE/lock"
flock 9
stop_all
