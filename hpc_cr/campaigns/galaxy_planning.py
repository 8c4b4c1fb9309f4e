"""What a galaxy job will take: time and memory, from one solution of each kind.

Where energies are separate problems one of them is solved; where they are connected, all energies
of one nucleus on the coarse grid, from which the fine one follows by its number of cells.
"""

import heapq
import time
from typing import NamedTuple

import numpy as np

from hpc_cr.campaigns.galaxy import coupled, entry_cost, make_tasks, solution_key
from hpc_cr.campaigns.galaxy_setting import setting
from hpc_cr.campaigns.planning import MPI_MIB, START_AND_END_SECONDS, Memory, status_bytes
from hpc_cr.galaxy import network

GROWTH = 1.15
"""Exponent with which the time of a factorisation grows with the number of cells."""


class Cost(NamedTuple):
    """Of one case on one core."""

    seconds: float  # per unknown
    solution: str  # cases with the same one share its cost


def measure_cases(job, say=lambda text: None):
    """Measure all solutions of a job (list of Cost, one per case; MemoryWatch)."""
    found, watch = {}, MemoryWatch()
    for case in job.cases:
        key = solution_key(case.job)
        if key not in found:
            say(f"solving {case.name or 'once'}")
            watch.begin()
            found[key] = _seconds(case.job)
            watch.end(case.job)
    keys = [solution_key(case.job) for case in job.cases]
    return [Cost(found[key], key) for key in keys], watch


def _seconds(job):
    """Seconds per unknown of a case."""
    if not coupled(job):
        problem, _ = setting(job)
        began = time.process_time()
        network.alone(problem, 0, 0)
        return (time.process_time() - began) / np.prod(problem.grid.shape)
    from hpc_cr.galaxy.momentum import march

    problem, _ = setting(job, coarse=True)
    one = problem._replace(species=problem.species[:1], injection=problem.injection[:1])
    one = one if one.injection.any() else one._replace(injection=np.ones_like(one.injection))
    began = time.process_time()
    for _ in march(one):
        pass
    unknowns = np.prod(problem.grid.shape) * len(problem.values)
    more = np.prod(job.halo.cells) / np.prod(problem.grid.shape)
    return (time.process_time() - began) / unknowns * more ** (GROWTH - 1)


def core_seconds(job, costs):
    """Core-seconds of all cases without start and end."""
    return sum(_entries(case.job) * entry_cost(case.job) * cost.seconds
               for case, cost in zip(job.cases, _shared(costs), strict=True))


def _entries(job):
    return job.n_row * len(job.particles.rigidities)


def _shared(costs):
    """The costs with nothing for cases whose solution another one has already."""
    seen = set()
    for cost in costs:
        yield cost._replace(seconds=0.0 if cost.solution in seen else cost.seconds)
        seen.add(cost.solution)


def wall_seconds(job, costs, ranks, done=None):
    """Time of a run on so many ranks; arguments as for `planning.wall_seconds`."""
    if done is None:
        done = {case.name: np.zeros((case.job.n_row, len(case.job.particles.rigidities)), bool)
                for case in job.cases}
    loads = [0.0] * ranks
    for task in make_tasks(job.cases, done, ranks):
        heapq.heapreplace(loads, loads[0] + task.cost * costs[task.cases[0]].seconds)
    return START_AND_END_SECONDS + max(loads)


class MemoryWatch:
    """Follows this process through `measure_cases`."""

    def __init__(self):
        self._peak = 0

    def begin(self):
        """Before a solution is measured."""
        self._before = status_bytes("VmHWM")

    def end(self, job):
        """After it; what it took grows with the cells that were not measured."""
        after = status_bytes("VmHWM")
        factor = 4.0 ** GROWTH if coupled(job) else 1.0
        self._peak = max(self._peak, after + (factor - 1) * (after - self._before))

    def needs(self, job, ranks):
        """Memory of a run on so many ranks of one node (Memory)."""
        rank = self._peak + MPI_MIB * 2**20
        return Memory(rank, ranks * rank)
