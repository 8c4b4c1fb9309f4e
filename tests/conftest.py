"""Settings of the whole test suite, inherited by the processes that tests start."""

import os

# Before numpy is imported: thread pools that outnumber the cores spin, and slow small tests down
# many times on a busy machine.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[_name] = "1"

# mpirun on any machine, also as root and with more ranks than cores
for _name in ("OMPI_ALLOW_RUN_AS_ROOT", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM",
              "OMPI_MCA_rmaps_base_oversubscribe", "OMPI_MCA_mpi_yield_when_idle"):
    os.environ[_name] = "1"
