"""hpc-cr with a clock: `python -m tools.bench.launched FOLDER run JOB.toml ...`, under mpirun.

Runs the command as it is and leaves in FOLDER, for every rank, a file named after its process
(so that the memory can be watched from outside) that ends up holding when it reached what, in
seconds since the epoch: its own start, the begin and the end of tracking (rank 0), and the first
call of a kernel on a particle; and its processor time.
"""

import json
import os
import sys
import time
from pathlib import Path

# One core per rank, before numpy is imported, as the command itself does.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[_name] = "1"


def process_start():
    """When this process began, seconds since the epoch, to 10 ms."""
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    since_boot = int(fields[19]) / os.sysconf("SC_CLK_TCK")
    return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME) + since_boot


def stamped(function, name, stamps):
    """The same function; its first call is noted in `stamps`."""
    def call(*arguments, **options):
        stamps.setdefault(name, time.time())
        return function(*arguments, **options)
    return call


def main():
    """Run the command with its clock and exit with its status."""
    path = Path(sys.argv[1]) / f"{os.getpid()}.json"
    path.touch()
    stamps = {"start": process_start()}
    from hpc_cr.campaigns import experiments
    from hpc_cr.cli import main as command
    from hpc_cr.cli import progress

    experiments.advance = stamped(experiments.advance, "first_kernel_call", stamps)
    make = progress.make_progress

    def make_progress(quiet):
        display = make(quiet)
        display.begin = stamped(display.begin, "begin", stamps)
        display.end = stamped(display.end, "end", stamps)
        return display

    progress.make_progress = make_progress
    try:
        status = command.run(sys.argv[2:])
    except SystemExit as end:
        status = end.code
    stamps["processor_seconds"] = time.process_time()
    path.write_text(json.dumps(stamps))
    sys.exit(status)


if __name__ == "__main__":
    main()
