"""The benchmark's command line."""

import os

# One core, as a rank of a job has it; before numpy is imported.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[_name] = "1"

from tools.bench.command import command  # noqa: E402

if __name__ == "__main__":
    command(prog_name="python -m tools.bench")
