"""Teams: ranks of one node that share a field and split its particles.

A team keeps one copy of its realisation's grids, and the arrays of its particles, in MPI shared
memory. A team of one rank uses private memory and no MPI at all.
"""

import ctypes
import errno
import mmap
import os

import numpy as np

from hpc_cr.parallel.communicator import AgreedError, block, wait

ALIGNMENT = 64
"""Bytes: MPI aligns shared memory to 8 or 16 only, FFTW and vector loads like more."""


def _ranks_of_node(comm):
    """Communicator of the ranks that share this node's memory."""
    if comm.size == 1:
        return comm.Split(0, 0)
    from mpi4py import MPI

    return comm.Split_type(MPI.COMM_TYPE_SHARED, key=comm.rank)


def _free_memory():
    """Bytes of memory that the system says are available, or None."""
    try:
        with open("/proc/meminfo") as lines:
            return next(int(line.split()[1]) * 1024 for line in lines if "MemAvailable" in line)
    except (OSError, StopIteration):
        return None


def _check_room(comm, needed, shared):
    """Raise an AgreedError on all ranks if any node lacks the bytes that its ranks need.

    Shared memory is a file: a too small /dev/shm kills the ranks that touch the missing pages.
    """
    folder = _shared_folder()
    node = _ranks_of_node(comm)
    in_all, in_files = node.allreduce(needed), node.allreduce(needed if shared else 0)
    node.Free()
    problem = None
    free = _free_memory()
    if free is not None and in_all > free:
        problem = (f"fields and particles need {in_all / 2**30:.1f} GiB of memory,"
                   f" {free / 2**30:.1f} GiB are free: use grids.layout = \"nodes\", smaller"
                   " grids, fewer ranks, or a larger parallel.team_size")
    elif in_files and os.path.isdir(folder):
        disk = os.statvfs(folder)
        free = disk.f_bavail * disk.f_frsize
        if in_files > free:
            problem = (f"the teams' shared fields need {in_files / 2**20:.0f} MiB in {folder},"
                       f" {free / 2**20:.0f} MiB are free: {_REMEDY}")
    _agree_on_room(comm, problem)


_REMEDY = ("use grids.layout = \"nodes\", parallel.team_size = 1, a smaller grid, or set"
           " OMPI_MCA_osc_sm_backing_directory to a folder with room")


def _shared_folder():
    """Where Open MPI keeps the files of shared windows."""
    return os.environ.get("OMPI_MCA_osc_sm_backing_directory", "/dev/shm")


def _agree_on_room(comm, problem):
    """Raise an AgreedError on all ranks if any of them has a problem (text or None)."""
    problems = comm.allgather(problem and f"{os.uname().nodename}: {problem}")
    first = next((text for text in problems if text), None)
    if first is not None:
        raise AgreedError(first)


_MADV_POPULATE_WRITE = 23
"""Linux 5.14: touch pages now; what would kill the process (SIGBUS) is an error, EFAULT."""


def _claim(memory):
    """Give shared memory (bytes) its pages now; False if there was no room for them.

    Others may fill /dev/shm after the check. A page without room kills the rank that touches it,
    later and with a message that says nothing. Older kernels leave it at that.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    first = memory.ctypes.data // mmap.PAGESIZE * mmap.PAGESIZE
    length = memory.ctypes.data + memory.size - first
    failed = libc.madvise(ctypes.c_void_p(first), ctypes.c_size_t(length), _MADV_POPULATE_WRITE)
    return not (failed and ctypes.get_errno() == errno.EFAULT)


class Team:
    """The ranks that work on one task together.

    Parameters
    ----------
    comm : Comm
        All ranks.
    size : int
        Wanted ranks per team; a node's last team may be smaller, and no team spans nodes.

    Attributes
    ----------
    comm : Comm
        The team's ranks; rank 0 leads.
    leaders : Comm or None
        The leaders of all teams, on leaders.
    number : int
        How many teams there are.
    nodes : int
        How many nodes they are on.
    """

    def __init__(self, comm, size):
        node = _ranks_of_node(comm)
        self.comm = node.Split(node.rank // size, node.rank)
        self.nodes = comm.allreduce(int(node.rank == 0))
        node.Free()
        self.rank, self.size = self.comm.rank, self.comm.size
        self.leader = self.rank == 0
        leaders = comm.Split(0 if self.leader else 1, comm.rank)
        self.leaders = leaders if self.leader else None
        if not self.leader:
            leaders.Free()
        self.number = comm.allreduce(int(self.leader))
        self._windows = []

    def share_of(self, total):
        """Range (first, last) of this rank's part of `total` items."""
        return block(total, self.size, self.rank)

    def allocate(self, comm, layouts):
        """Arrays that all ranks of the team see; the same call on every rank of `comm`.

        Parameters
        ----------
        comm : Comm
            All ranks: the room is checked on every node before any rank allocates, since a
            failure on one rank alone would leave the others waiting.
        layouts : list of (shape, dtype)

        Returns
        -------
        list of ndarray
            Not initialised (private ones for a team of one).

        Raises
        ------
        AgreedError
            On every rank, if a node has too little room.
        """
        offsets, total = [], 0
        for shape, dtype in layouts:
            offsets.append(total)
            size = int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize
            total += -(-size // ALIGNMENT) * ALIGNMENT
        total += ALIGNMENT
        in_teams = comm.allreduce(int(self.size > 1)) > 0
        _check_room(comm, total if self.leader else 0, shared=self.size > 1)
        if self.size == 1:
            memory = np.empty(total, np.uint8)
        else:
            from mpi4py import MPI

            try:
                window = MPI.Win.Allocate_shared(total if self.leader else 0, 1, comm=self.comm)
            except MPI.Exception as error:
                # MPI finds too little room itself, and does not say so ("internal error")
                raise MemoryError(
                    f"{_shared_folder()} has no room for the {total / 2**20:.0f} MiB that a team"
                    f" shares, or MPI cannot use it ({error}): {_REMEDY}") from None
            self._windows.append(window)
            buffer, _ = window.Shared_query(0)
            memory = np.frombuffer(buffer, np.uint8)
        if in_teams:
            part = memory[slice(*self.share_of(memory.size))]
            _agree_on_room(comm, None if self.size == 1 or _claim(part) else
                           f"{_shared_folder()} filled up while the teams' shared fields were"
                           f" allocated ({total / 2**20:.0f} MiB for this team): {_REMEDY}")
        # the address of the mapping differs between ranks only by whole pages
        start = -memory.ctypes.data % ALIGNMENT
        arrays = []
        for offset, (shape, dtype) in zip(offsets, layouts, strict=True):
            size = int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize
            part = memory[start + offset:start + offset + size]
            arrays.append(part.view(dtype).reshape(shape))
        return arrays

    def broadcast(self, numbers, poll):
        """Leader's integers (fixed-length int64 array, changed in place) to all of the team."""
        if self.size > 1:
            wait(self.comm.Ibcast(numbers, root=0), poll)
        return numbers

    def total(self, values, poll):
        """Sum of float values (array) over the team; also a barrier. Do not use for results."""
        if self.size == 1:
            return values
        result = np.empty_like(values)
        wait(self.comm.Iallreduce(values, result), poll)
        return result

    def barrier(self, poll):
        """Wait for the team; what it wrote to shared arrays before is then seen by all."""
        if self.size > 1:
            wait(self.comm.Ibarrier(), poll)

    def free(self):
        """Give windows and communicators back; collective."""
        for window in self._windows:
            window.Free()
        self._windows.clear()
        if self.leaders is not None:
            self.leaders.Free()
        self.comm.Free()
