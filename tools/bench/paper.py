"""P5: what Mertsch & Funk (2015) in full costs, 2 x 50 realisations of 3 rigidities.

Cases of the shipped job: isotropic turbulence, and the strong field with 4 uG in total. For each
of the six skies of one realisation some particles, spread over the sky, are tracked as far as a
second or two goes; the time per particle-step times the steps of the whole sky is the time of the
sky.
The yardstick is the textbook kernel in the whole field, with the step min(r_g/8, L_min/2).
"""

import time

import numpy as np

from hpc_cr.campaigns.work import entry_cost, plan_of
from hpc_cr.config import load_job
from hpc_cr.fields.interpolation import coarsest_levels
from hpc_cr.fields.nested import make_field
from hpc_cr.trajectories.backtrack import advance
from hpc_cr.trajectories.directions import start_directions
from hpc_cr.trajectories.state import empty_state, start
from tools.bench.kernels import textbook_copy
from tools.bench.launch import ROOT
from tools.bench.textbook import track
from tools.bench.timing import Figure

CASES = (("isotropic", "jobs/mertsch_funk2015.toml", "isotropic"),
         ("strong field", "jobs/mertsch_funk2015.toml", "total-4uG"))
PARTICLES = 64
SECONDS = 1.5
"""Longest sample of the program's kernel."""
TEXTBOOK_STEPS = 1_000_000


def program_seconds(job, field, rig, seconds):
    """Seconds of one sky, from a sample that takes at most `seconds`."""
    plan, directions = plan_of(job, rig), _sample(job)
    state = empty_state(len(directions), len(plan.stops))
    start(state, 0, len(directions), np.zeros(3), directions, plan)
    began = time.process_time()
    arrays = coarsest_levels(field.arrays, job.levels_followed[rig])
    advance(arrays, plan, state, 0, len(directions), job.integrator.method,
            lambda: time.process_time() - began > seconds)
    return (time.process_time() - began) / state.steps.sum() * entry_cost(job, rig)


def textbook_seconds(job, book, rig, particle_steps):
    """Seconds of one sky with the textbook kernel, from so many particle-steps."""
    step = min(job.gyroradii[rig] / 8, job.shortest_wave / 2)
    directions = _sample(job)
    steps = max(int(particle_steps / len(directions)), 1)
    turn, position = plan_of(job, rig).turn, np.zeros_like(directions)
    began = time.process_time()
    track(*book, position, directions, turn, step, steps)
    per_step = (time.process_time() - began) / (steps * len(directions))
    return per_step * job.n_pix * job.stops[rig][-1] / step


def _sample(job):
    """Start directions spread over the sky."""
    directions = start_directions(job, 0)
    count = min(PARTICLES, len(directions))
    return directions[np.linspace(0, len(directions) - 1, count, dtype=int)].copy()


def measure(rounds, say, seconds=SECONDS, textbook_steps=TEXTBOOK_STEPS):
    """Figures of P5: seconds of each sky of one realisation, core-hours of the paper."""
    figures, total = [], np.zeros((2, rounds))
    for name, path, case in CASES:
        job = load_job(ROOT / path, case=case)
        say(f"{name}: field, and its copy for the textbook kernel")
        began = time.process_time()
        field = make_field(job, 0)
        synthesis = time.process_time() - began
        book = textbook_copy(job, field)
        total += job.run.realisations * synthesis
        program_seconds(job, field, 0, 0.0)  # compilation
        textbook_seconds(job, book, 0, 1)
        for rig, rigidity in enumerate(job.particles.rigidities):
            runs = np.empty((2, rounds))
            for number in range(rounds):
                say(f"{name}, {rigidity:g} PV: run {number + 1} of {rounds}")
                runs[:, number] = (program_seconds(job, field, rig, seconds),
                                   textbook_seconds(job, book, rig, textbook_steps))
            total += job.run.realisations * runs
            figures.append(Figure("P5", f"one sky of {job.n_pix} pixels, {name}, {rigidity:g} PV",
                                  "core-s", tuple(runs[0]), "textbook kernel", tuple(runs[1])))
    total /= 3600
    figures.append(Figure("P5", "the paper: 2 x 50 realisations x 3 rigidities", "core-hours",
                          tuple(total[0]), "textbook kernel", tuple(total[1]), "extrapolated"))
    return figures
