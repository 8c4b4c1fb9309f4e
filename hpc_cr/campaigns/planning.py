"""What a job will cost: core-hours from its settings and a short measurement."""

import time
from typing import NamedTuple

import numpy as np

from hpc_cr.campaigns.work import entry_cost, plan_of
from hpc_cr.fields.nested import make_field
from hpc_cr.trajectories.backtrack import advance
from hpc_cr.trajectories.directions import start_directions
from hpc_cr.trajectories.state import empty_state, start

SAMPLE_SECONDS = 1.0
"""Tracking time per rigidity that the measurement aims at."""
_SAMPLE = 96


class CaseCost(NamedTuple):
    """Cost of one case; arrays are over its rigidities."""

    synthesis_seconds: float  # one realisation's grids, one core
    step_seconds: np.ndarray  # per particle-step and core
    steps: np.ndarray  # particle-steps of one entry
    core_seconds: float  # the whole case


def measure(job):
    """Cost of one case on this machine's core, from its first realisation.

    Parameters
    ----------
    job : Job
        Of one case.

    Returns
    -------
    CaseCost
    """
    n_rig = len(job.particles.rigidities)
    began = time.perf_counter()
    field = make_field(job, 0)
    synthesis = time.perf_counter() - began
    directions = start_directions(job, 0)
    sample = directions[np.linspace(0, len(directions) - 1, min(_SAMPLE, len(directions)),
                                    dtype=int)]
    step_seconds = np.array([_step_seconds(job, field, rig, sample) for rig in range(n_rig)])
    steps = np.array([entry_cost(job, rig) for rig in range(n_rig)])
    total = job.run.realisations * synthesis + job.n_row * float(steps @ step_seconds)
    return CaseCost(synthesis, step_seconds, steps, total)


def _step_seconds(job, field, rig, directions):
    """Seconds per particle-step, kernels compiled beforehand."""
    plan = plan_of(job, rig)
    state = empty_state(len(directions), len(plan.stops))
    start(state, 0, len(directions), np.zeros(3), directions, plan)
    deadline = time.perf_counter() + SAMPLE_SECONDS
    began = time.perf_counter()
    advance(field.arrays, plan, state, 0, len(directions), job.integrator.method,
            lambda: time.perf_counter() > deadline)
    return (time.perf_counter() - began) / max(int(state.steps.sum()), 1)
