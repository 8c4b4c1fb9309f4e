"""Settings of the whole test suite."""

import os

# Before numpy is imported: thread pools that outnumber the cores spin, and slow small tests down
# many times on a busy machine. Child processes inherit the setting.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[_name] = "1"
