"""The tasks of a campaign: entries that share a field, and what they cost."""

import heapq
import math
from typing import NamedTuple

import numpy as np

from hpc_cr.fields.nested import field_layout
from hpc_cr.trajectories.backtrack import expected_steps, make_plan
from hpc_cr.trajectories.state import state_layout

TAIL_ROUNDS = 5.0
"""Tasks are whole realisations as long as this many more of them are left for every team; fewer
where making a field again costs more than the idle time that it saves."""
NODE_STEPS = 0.5
"""Particle-steps that take as long as the synthesis of a grid node, about."""


class Task(NamedTuple):
    """Entries of one realisation of one case, computed by one team."""

    case: int
    realisation: int
    entries: tuple  # of (row, rig)
    cost: float  # particle-steps expected


def memory_bytes(job):
    """Bytes that a team needs for the largest of a job's cases.

    Parameters
    ----------
    job : Job

    Returns
    -------
    grids, particles : int
        One realisation's grids with the work space of their synthesis; one set of particle arrays
        (a team holds two).
    """
    jobs = [case.job for case in job.cases]
    grids = max(sum(_bytes(*layout) for layout in field_layout(j)) for j in jobs)
    n_pix, n_stop = max(j.n_pix for j in jobs), max(len(j.stops[0]) for j in jobs)
    particles = sum(_bytes(shape, kind) for _, shape, kind in state_layout(n_pix, n_stop))
    return grids, particles


def _bytes(shape, dtype):
    return math.prod(shape) * np.dtype(dtype).itemsize


def plan_of(job, rig):
    """Integrator constants of one rigidity of a case's job (Plan)."""
    return make_plan(job.b_ref, job.longest_steps[rig], job.particles.rigidities[rig],
                     job.stops[rig], sphere=job.boundary.kind == "sphere",
                     method=job.integrator.method,
                     steps_per_gyroradius=job.integrator.steps_per_gyroradius,
                     tolerance=job.integrator.tolerance, limit=job.boundary.limit,
                     charge=-1 if job.run.kind == "anisotropy" else 1)


def expected_path(job, rig):
    """Path length of a particle in pc: the last time, or the mean escape time of a sphere or halo.

    Diffusion from the centre of a sphere takes R^2/(6 K), K = lambda/3, straight flight R. From
    the middle of a halo of half height H it takes H^2/(2 K), straight flight 2 H.
    """
    last = job.stops[rig][-1]
    if job.boundary.kind == "time":
        return last
    if job.boundary.kind == "halo":
        height = job.boundary.half_height
        return min(2 * height + 1.5 * height**2 / job.mean_free_paths[rig], last)
    return last + last**2 / (2 * job.mean_free_paths[rig])


def entry_cost(job, rig):
    """Particle-steps expected for one entry."""
    plan = plan_of(job, rig)
    if job.boundary.kind == "time":
        return job.n_pix * float(expected_steps(plan))
    return job.n_pix * expected_path(job, rig) / plan.step


def field_cost(job):
    """Particle-steps that the synthesis of a realisation is worth."""
    return NODE_STEPS * len(job.levels) * job.grids.cells**3


def make_tasks(cases, done, n_teams):
    """Tasks for what is missing, longest first.

    The unit is a realisation with all its rigidities. The last ones are split into entries: so
    many teams share so few of them that the length of a task decides how long the others wait.

    Parameters
    ----------
    cases : sequence of Case
    done : dict of str to ndarray (n_row, n_rig) of bool
        By case name.
    n_teams : int

    Returns
    -------
    list of Task
    """
    groups = []
    for number, case in enumerate(cases):
        job = case.job
        costs = [entry_cost(job, rig) for rig in range(len(job.particles.rigidities))]
        per_realisation = {}
        for row, rig in np.argwhere(~done[case.name]).tolist():
            realisation = job.run.first_realisation + row // job.particles.observers
            per_realisation.setdefault(realisation, []).append((row, rig))
        for realisation, entries in per_realisation.items():
            groups.append([Task(number, realisation, (e,), costs[e[1]]) for e in entries])
    groups.sort(key=lambda parts: -sum(part.cost for part in parts))
    fields = [field_cost(case.job) for case in cases]
    whole = stays_whole([sum(part.cost for part in parts) for parts in groups],
                        [(len(parts) - 1) * fields[parts[0].case] for parts in groups], n_teams)
    tasks = []
    for parts, together in zip(groups, whole, strict=True):
        tasks += [_joined(parts)] if together else parts
    # a long task begun last would leave the other teams waiting at the end
    return sorted(tasks, key=lambda task: -task.cost)


def stays_whole(costs, again, n_teams):
    """Which realisations are not split into entries.

    Parameters
    ----------
    costs : sequence of float
        Of the realisations, longest first.
    again : sequence of float
        What each costs more if it is split: its field, made for every entry but one.
    n_teams : int

    Returns
    -------
    list of bool
    """
    costs, again = np.asarray(costs, dtype=float), np.asarray(again, dtype=float)
    left = costs.sum() - np.cumsum(costs)
    # unsplit, a team is idle for half a realisation on average
    least = np.maximum(0.5 * costs / TAIL_ROUNDS, 1e-300)
    rounds = np.maximum(0.5 * costs / np.maximum(again, least), 1.0)
    return ((left >= rounds * n_teams * costs) | (n_teams == 1)).tolist()


def _joined(parts):
    return parts[0]._replace(entries=tuple(part.entries[0] for part in parts),
                             cost=sum(part.cost for part in parts))


def idle_share(costs, n_teams):
    """Share of the teams' time that goes by idle at the end, all else being perfect.

    Parameters
    ----------
    costs : sequence of float
        Of the tasks, in the order in which they are handed out.
    n_teams : int

    Returns
    -------
    float
        1 - (mean load)/(largest load).
    """
    loads = [0.0] * n_teams
    for cost in costs:
        heapq.heapreplace(loads, loads[0] + cost)
    return 1 - sum(loads) / (n_teams * max(loads)) if any(loads) else 0.0
