"""What a job will take: time and memory, from its settings and a short measurement.

A few particles are tracked in the first realisation, the observables of one sky are measured, and
the tasks are dealt out to the teams as a run does it. Times are processor times of this process,
so that a busy login node does not spoil them; a run is as fast if its ranks have a core each.
"""

import heapq
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np

from hpc_cr.campaigns.experiments import experiment_of
from hpc_cr.campaigns.warm_up import load_kernels
from hpc_cr.campaigns.work import entry_cost, make_tasks, memory_bytes, plan_of
from hpc_cr.fields.layouts import aligned_empty
from hpc_cr.fields.nested import field_layout, field_on, synthesis_steps
from hpc_cr.trajectories.backtrack import expected_steps
from hpc_cr.trajectories.state import FINISHED, empty_state, start

SAMPLE_STEPS = 5e6
"""Particle-steps per rigidity that the measurement aims at: all the way to the last stop, since
trajectories that have spread out wait longer for memory than those that have just begun."""
SAMPLE_SECONDS = 3.0
"""Longest measurement of one rigidity."""
REPEATS = 3
FEWEST = 64
"""Particles tracked at least: the kernel moves several at once."""
START_AND_END_SECONDS = 2.0
"""From the command to the first step, kernels compiled, and from the last one to the prompt."""
MPI_MIB = 12
"""What MPI adds to the memory of this process in a rank."""


class CaseCost(NamedTuple):
    """Cost of one case on one core; arrays are over its rigidities."""

    memory_seconds: float  # what the first realisation of a team takes more: pages of memory
    synthesis_seconds: float  # one realisation's grids
    step_seconds: np.ndarray  # per particle-step
    steps: np.ndarray  # particle-steps of one entry
    measuring_seconds: float  # what is kept of one entry, the mean over rigidities


class Memory(NamedTuple):
    """Peaks of a job's memory on one node, bytes."""

    rank: int  # resident in the leader of a team
    node: int  # all ranks, shared pages counted once


def measure(job, say=lambda text: None):
    """Cost of one case on this machine's core, from its first realisation.

    Parameters
    ----------
    job : Job
        Of one case; its kernels are loaded (`warm_up.load_kernels`).
    say : callable
        Told what is being measured.

    Returns
    -------
    CaseCost
    """
    say("synthesis")
    spectrum, grid = (aligned_empty(*layout) for layout in field_layout(job))
    first, synthesis = (_synthesis_seconds(job, spectrum, grid) for _ in range(2))
    field = field_on(grid, job, job.run.first_realisation)
    experiment = experiment_of(job)
    samples = []
    for rig, rigidity in enumerate(job.particles.rigidities):
        say(f"tracking at {rigidity:g} PV")
        samples.append(_sample(job, field, rig, experiment))
    seconds, steps = np.array(samples).T
    say("what is kept of an entry")
    return CaseCost(max(first - synthesis, 0.0), synthesis, seconds, steps * job.n_pix,
                    _measuring_seconds(job, field, experiment))


def measure_cases(job, say=lambda text: None):
    """Load the kernels of a job and measure all its cases.

    Parameters
    ----------
    job : Job
    say : callable
        Told what is being done.

    Returns
    -------
    list of CaseCost
        One per case.
    MemoryWatch
        Has seen all of it.
    """
    say("compiling or loading kernels")
    load_kernels(job)
    watch = MemoryWatch(job)
    costs = []
    for case in job.cases:
        label = f"case {case.name}: " if case.name else ""
        costs.append(measure(case.job, lambda text, label=label: say(f"measuring {label}{text}")))
    return costs, watch


def _synthesis_seconds(job, spectrum, grid):
    began = time.process_time()
    for _ in synthesis_steps(job, job.run.first_realisation, spectrum, grid):
        pass
    return time.process_time() - began


def _sample(job, field, rig, experiment):
    """Seconds per particle-step, and steps per particle, from some of the particles."""
    plan = plan_of(job, rig)
    guess = entry_cost(job, rig) / job.n_pix
    origins, directions = experiment.start(0)
    count = min(len(directions), max(FEWEST, int(SAMPLE_STEPS / guess)))
    chosen = np.linspace(0, len(directions) - 1, count, dtype=int)
    directions = directions[chosen]
    origins = origins if np.ndim(origins) == 1 else origins[chosen]
    state = empty_state(count, len(plan.stops))
    first = time.process_time()
    seconds = np.inf
    for _ in range(REPEATS):
        start(state, 0, count, origins, directions, plan)
        began = time.process_time()
        experiment.track(field, plan, state, 0, count, rig,
                         lambda: time.process_time() - first > SAMPLE_SECONDS)
        ended = time.process_time()
        # other processes can only slow it down: the best run is the one that they left alone
        seconds = min(seconds, (ended - began) / max(int(state.steps.sum()), 1))
        if ended - first > SAMPLE_SECONDS / 2:
            break
    by_time = job.boundary.kind == "time"
    if job.integrator.method == "boris" and by_time:
        return seconds, float(expected_steps(plan))
    if np.all(state.status == FINISHED):
        return seconds, float(state.steps.mean())
    if by_time:
        return seconds, float(state.steps.sum() / state.path.sum() * plan.stops[-1])
    escaped = np.count_nonzero(state.status == FINISHED)
    if job.boundary.kind == "halo" and escaped:
        # exponentially distributed, cut off where the measurement ended
        return seconds, float(state.steps.sum() / escaped)
    return seconds, max(guess, float(state.steps.mean()))


def _measuring_seconds(job, field, experiment):
    """Seconds of measuring one entry of particles that all finished somewhere."""
    _, directions = experiment.start(0)
    state = empty_state(job.n_pix, len(job.stops[0]))
    for array in state:
        array[...] = 0
    state.out_position[...] = directions
    state.out_direction[...] = directions
    began = time.process_time()
    count = 0
    for rig in range(len(job.particles.rigidities)):
        # field lines take the longer the shorter the waves that a rigidity sees
        experiment.measure(field, state, 0, rig)
        count += 1
        spent = time.process_time() - began
        if spent > SAMPLE_SECONDS:
            break
    return spent / count


def core_seconds(job, costs):
    """Core-seconds of all cases without start and end (costs: one CaseCost per case)."""
    total = 0.0
    for case, cost in zip(job.cases, costs, strict=True):
        entries = float(cost.steps @ cost.step_seconds) + len(cost.steps) * cost.measuring_seconds
        total += case.job.run.realisations * cost.synthesis_seconds + case.job.n_row * entries
    return total


def wall_seconds(job, costs, ranks, done=None):
    """Time of a run on so many ranks of one node, each with a core of its own.

    Parameters
    ----------
    job : Job
    costs : sequence of CaseCost
        One per case.
    ranks : int
    done : dict of str to ndarray (n_row, n_rig) of bool, optional
        By case, the entries that are finished; default none.

    Returns
    -------
    float
        s, with start and end, kernels compiled beforehand.
    """
    size = min(job.parallel.team_size, ranks)
    n_teams = -(-ranks // size)
    if done is None:
        done = {case.name: np.zeros((case.job.n_row, len(cost.steps)), bool)
                for case, cost in zip(job.cases, costs, strict=True)}
    # when each team is free, and which field it has
    begin = max(cost.memory_seconds for cost in costs)
    teams = [(begin, number, None) for number in range(n_teams)]
    for task in make_tasks(job.cases, done, n_teams):
        free, number, field = heapq.heappop(teams)
        cost, wanted = costs[task.case], (task.case, task.realisation)
        if field != wanted:
            free += cost.synthesis_seconds / size
        for _, rig in task.entries:
            free += cost.steps[rig] * cost.step_seconds[rig] / size + cost.measuring_seconds
        heapq.heappush(teams, (free, number, wanted))
    return START_AND_END_SECONDS + max(free for free, _, _ in teams)


class MemoryWatch:
    """Follows this process through `measure`, which does in small what a rank does.

    Parameters
    ----------
    job : Job
        Its kernels are loaded.
    """

    def __init__(self, job):
        self._grids, self._particles = memory_bytes(job)
        self._files = _proc("smaps_rollup", "Rss") - _proc("smaps_rollup", "Anonymous")
        try:
            Path("/proc/self/clear_refs").write_text("5")  # the high-water mark starts anew
        except OSError:
            pass  # it then holds what compilation took, too

    def needs(self, job, ranks):
        """Memory of a run on so many ranks of one node, once all cases were measured (Memory)."""
        peak = status_bytes("VmHWM") + MPI_MIB * 2**20
        private = max(peak - self._files - self._grids - self._particles, 0)
        teams = -(-ranks // min(job.parallel.team_size, ranks))
        shared = self._grids + 2 * self._particles
        return Memory(peak + self._particles, self._files + ranks * private + teams * shared)


def status_bytes(key):
    """An entry of this process's status, such as VmHWM, its peak of resident memory; bytes."""
    return _proc("status", key)


def _proc(name, key):
    """A size from this process's file of that name in /proc, bytes; 0 where there is none."""
    try:
        for line in Path(f"/proc/self/{name}").read_text().splitlines():
            if line.startswith(f"{key}:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0
