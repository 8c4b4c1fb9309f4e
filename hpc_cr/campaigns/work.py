"""The tasks of a campaign: entries that share a field, and what they cost."""

from typing import NamedTuple

import numpy as np

from hpc_cr.fields.nested import grid_dtype, grid_shape
from hpc_cr.trajectories.backtrack import expected_steps, make_plan
from hpc_cr.trajectories.state import state_layout


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
        One realisation's grids; one set of particle arrays (a team holds two).
    """
    jobs = [case.job for case in job.cases]
    grids = max(int(np.prod(grid_shape(j))) * grid_dtype(j).itemsize for j in jobs)
    n_pix, n_stop = max(j.n_pix for j in jobs), max(len(j.stops[0]) for j in jobs)
    particles = sum(int(np.prod(shape)) * np.dtype(kind).itemsize
                    for _, shape, kind in state_layout(n_pix, n_stop))
    return grids, particles


def plan_of(job, rig):
    """Integrator constants of one rigidity of a case's job (Plan)."""
    return make_plan(job.b_ref, job.shortest_wave, job.particles.rigidities[rig], job.stops[rig],
                     sphere=job.boundary.kind == "sphere", method=job.integrator.method,
                     steps_per_gyroradius=job.integrator.steps_per_gyroradius,
                     tolerance=job.integrator.tolerance, limit=job.boundary.limit)


def expected_path(job, rig):
    """Path length of a particle in pc: the last time, or the mean escape time of a sphere.

    Diffusion from the centre of a sphere takes R^2/(6 K), K = lambda/3, straight flight R.
    """
    last = job.stops[rig][-1]
    if job.boundary.kind == "time":
        return last
    return last + last**2 / (2 * job.mean_free_paths[rig])


def entry_cost(job, rig):
    """Particle-steps expected for one entry."""
    plan = plan_of(job, rig)
    if job.boundary.kind == "time":
        return job.n_pix * float(expected_steps(plan))
    return job.n_pix * expected_path(job, rig) / plan.step


def make_tasks(cases, done, n_teams):
    """Tasks for what is missing, longest first.

    The unit is a realisation with all its rigidities; where there are fewer of them than teams
    it is one entry.

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
            per_realisation.setdefault(row // job.particles.observers, []).append((row, rig))
        for realisation, entries in per_realisation.items():
            groups.append((number, realisation, entries, costs))
    split = len(groups) < n_teams
    tasks = []
    for number, realisation, entries, costs in groups:
        for part in ([e] for e in entries) if split else [entries]:
            tasks.append(Task(number, realisation, tuple(part), sum(costs[g] for _, g in part)))
    # a long task begun last would leave the other teams waiting at the end
    return sorted(tasks, key=lambda task: -task.cost)
