"""Communicators, waiting that stays responsive, and failing together."""

import os
import socket
import time
import traceback
from contextlib import contextmanager

from hpc_cr.parallel.ending import end_all

NAP_SECONDS = 0.0005
"""Pause between two looks at an unfinished request: a waiting rank must not burn its core."""

_SIZES = ("OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS")
"""Variables in which a launcher says how many ranks there are, the innermost launcher's first."""
_LAUNCHERS = ("OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "PMIX_RANK")


class AgreedError(Exception):
    """An expected error that every rank raises together; the message is one line."""


class SingleProcess:
    """Stands in for MPI.COMM_WORLD where there is no MPI library: one rank, nobody to talk to."""

    rank, size = 0, 1

    def bcast(self, value, root=0):
        return value

    def allreduce(self, value):
        return value

    def allgather(self, value):
        return [value]

    def gather(self, value, root=0):
        return [value]

    def Split(self, color=0, key=0):
        return self

    def Split_type(self, split_type, key=0):
        return self

    def Iprobe(self, source=0, tag=0):
        return False

    def Ibarrier(self):
        return self

    def Test(self):
        return True

    def Free(self):
        pass


def world():
    """MPI.COMM_WORLD (starts MPI on the first call), or a `SingleProcess`.

    Returns
    -------
    comm
        A SingleProcess only if mpi4py finds no MPI library and no launcher started this process.

    Raises
    ------
    AgreedError
        A launcher started several processes, but they cannot talk to each other.
    """
    try:
        from mpi4py import MPI
    except (ImportError, RuntimeError) as error:
        if not any(name in os.environ for name in _LAUNCHERS):
            return SingleProcess()
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise AgreedError(
            f"no MPI library can be loaded ({reason}): load the MPI module of this mpirun or srun"
        ) from None
    started = _started_ranks()
    if MPI.COMM_WORLD.size == 1 and started > 1:
        library = MPI.Get_library_version().split(",")[0].strip("\0\n ")
        raise AgreedError(
            f"the launcher started {started} processes, but MPI ({library}) sees one: mpirun, or"
            " srun's --mpi type, belongs to another MPI than the one that mpi4py loads (one process"
            " alone inside a step of several: env -u SLURM_STEP_NUM_TASKS hpc-cr ...)"
        )
    return MPI.COMM_WORLD


def _started_ranks():
    """How many ranks a launcher says that it started, 1 if there is none."""
    found = next((os.environ[name] for name in _SIZES if name in os.environ), "1")
    return int(found) if found.isdecimal() else 1


@contextmanager
def failing_together(comm, plain=()):
    """End all ranks when one fails inside, with a message that names it; not for AgreedErrors.

    Without this an exception on one rank leaves the others waiting for ever.

    Parameters
    ----------
    comm : Comm
    plain : exception class or tuple of them, optional
        Faults of the machine, of which the message says all: no traceback is shown.
    """
    try:
        yield
    except AgreedError:
        raise
    except Exception as error:
        trace = "" if isinstance(error, plain) else traceback.format_exc()
        end_all(comm, f"{trace}hpc-cr: rank {comm.rank} of {comm.size} on"
                f" {socket.gethostname()} failed ({type(error).__name__}: {error});"
                " all ranks end, finished entries are kept\n")


def anyone(comm):
    """The source that stands for any rank."""
    if comm.size == 1:
        return 0
    from mpi4py.MPI import ANY_SOURCE

    return ANY_SOURCE


def wait(request, poll):
    """Wait for an MPI request, calling `poll` meanwhile."""
    while not request.Test():
        poll()
        time.sleep(NAP_SECONDS)


def agree(comm, function, expected, meet=lambda: None):
    """Run a function on rank 0 alone; every rank returns its value or raises its error.

    Parameters
    ----------
    comm : Comm
    function : callable
        Called without arguments on rank 0.
    expected : exception class or tuple of them
        Errors that all ranks raise as an AgreedError with the same message.
    meet : callable, optional
        Lets the other ranks wait for rank 0 watchfully (`heartbeat.Heartbeat.meet`).
    """
    outcome = None
    if comm.rank == 0:
        try:
            outcome = (True, function())
        except expected as error:
            outcome = (False, str(error))
    meet()
    good, value = comm.bcast(outcome, root=0)
    if not good:
        raise AgreedError(value)
    return value


def block(total, parts, number):
    """Range (first, last) of part `number` of `total` items split as evenly as possible."""
    return total * number // parts, total * (number + 1) // parts
