"""Two or more ranks write one file through parallel HDF5; used by setup.sh after the build."""

import os
import sys

import h5py
from mpi4py import MPI

comm = MPI.COMM_WORLD
if comm.size < 2:
    sys.exit("MPI and mpi4py do not fit: every rank believes it is alone")
with h5py.File(sys.argv[1], "w", driver="mpio", comm=comm) as file:
    rows = file.create_dataset("rows", (comm.size,), dtype="i8")
    rows[comm.rank] = comm.rank
comm.Barrier()
if comm.rank == 0:
    with h5py.File(sys.argv[1]) as file:
        written = list(file["rows"][:])
    os.remove(sys.argv[1])
    if written != list(range(comm.size)):
        comm.Abort(1)
