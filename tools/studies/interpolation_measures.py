"""What interpolations are judged by: the field, its divergence, response and diffusion, time.

Common random numbers: all schemes and cells have the same waves, and particles start from the same
places in the same directions, so that differences are those of the interpolation.
"""

import time
from typing import NamedTuple

import numpy as np

from hpc_cr.config.scales import gyroradius, mean_free_paths
from hpc_cr.fields.nested import make_field
from hpc_cr.trajectories.backtrack import advance, make_plan
from hpc_cr.trajectories.directions import healpix_directions
from hpc_cr.trajectories.state import empty_state, start
from tools.bench.kernels import B_UNIFORM, STEPS_PER_GYRORADIUS, nested_job
from tools.studies.interpolation_schemes import (
    POTENTIAL,
    SCHEMES,
    Waves,
    boris_in_curl,
    curl_at_points,
    field_function,
    make_potential,
    wave_sum,
)

B_REF, RIGIDITY, L_MAX = 4.0, 1.0, 100.0
"""sqrt(B0^2 + B_rms^2) in uG, PV, pc."""
R_G = float(gyroradius(RIGIDITY, B_REF))
"""pc."""


class Setup(NamedTuple):
    """Fields and particles for response and diffusion."""

    rms: float  # uG
    uniform: float  # uG
    stops: tuple  # mean free paths
    observers: int  # places per realisation
    nside: int  # directions per place
    cells: dict  # scheme -> cells per shortest wave

    def waves(self):
        """Waves from L_max to a fifth of the gyroradius."""
        ratio = (L_MAX / (R_G / 5)) ** (1 / LEVELS)
        return Waves(L_MAX, ratio, LEVELS, BOX, self.rms, self.uniform)

    def times(self):
        """Stops (n_stop,), pc: in estimated mean free paths."""
        return np.array(self.stops) * mean_free_paths([RIGIDITY], self.rms, self.uniform, L_MAX)


    def cases(self):
        """All (scheme, cells per shortest wave), the reference first."""
        return [REFERENCE, *[(scheme, cells) for scheme, several in self.cells.items()
                             for cells in several if (scheme, cells) != REFERENCE]]


CELLS = (2.0, 2.7, 4.0, 6.0, 8.0)
"""Cells per shortest wave."""
REFERENCE = ("B-spline", 8.0)
SETUPS = {
    "isotropic": Setup(4.0, 0.0, (1.0, 5.0), 32, 4, {
        **dict.fromkeys(SCHEMES, CELLS), POTENTIAL: (2.7, 4.0)}),
    "strong field": Setup(1.265, 3.795, (0.5, 1.0), 32, 2, {
        "trilinear, plain": (2.7, 4.0), "trilinear": (2.0, 2.7, 4.0, 6.0),
        "Catmull-Rom": (2.7, 4.0), "B-spline": (2.0, 2.7, 4.0)}),
}
LEVELS, BOX = 4, 27
"""Levels from L_max to r_g/5, and their boxes in shortest waves: 4.1 of the longest."""
ONE_LEVEL = Waves(L_MAX, 8.0, 1, 32)
"""One level with the ratio that the program takes with 128 cells, 4 of them per shortest wave."""
STEP = 0.02
"""Cells over which the divergence is measured."""


# ---- the field ---------------------------------------------------------------------------------


def field_errors(scheme, cells, realisation, points, exact):
    """Relative r.m.s. error of the field, and r.m.s. div B x (shortest wave/2 pi)/B_rms."""
    at = field_function(ONE_LEVEL, scheme, cells, realisation)
    rms = np.sqrt(np.mean(np.sum(exact**2, axis=1)))
    error = np.sqrt(np.mean(np.sum((at(points) - exact) ** 2, axis=1))) / rms
    level = ONE_LEVEL.job("trilinear", cells).levels[0]
    half = STEP / 2 * level.box / level.cells
    divergence = sum((at(points + half * axis) - at(points - half * axis)) @ axis
                     for axis in np.eye(3)) / (2 * half)
    scale = level.shortest / (2 * np.pi)
    return float(error), float(np.sqrt(np.mean(divergence**2)) * scale / rms)


def field_realisation(realisation, count=1000):
    """`field_errors` of all schemes against the sum of waves: {"scheme|cells": (error, div)}."""
    points = np.random.default_rng([realisation, 1]).uniform(-5000, 5000, (count, 3))
    exact = wave_sum(ONE_LEVEL.job("trilinear", 4.0), realisation, points)
    return {f"{scheme}|{cells:g}": field_errors(scheme, cells, realisation, points, exact)
            for scheme in (*SCHEMES, POTENTIAL) for cells in CELLS}


# ---- response and diffusion ----------------------------------------------------------------------


def displacements(waves, scheme, cells, realisation, origins, directions, times):
    """X (n_stop, n, 3) pc of antiparticles at the times (n_stop,) pc."""
    job = waves.job("B-spline" if scheme == POTENTIAL else scheme, cells)
    plan = make_plan(job.b_ref, job.levels[-1].shortest / 2, RIGIDITY, times, sphere=False,
                     method="boris", steps_per_gyroradius=8, tolerance=1e-4)
    if scheme == POTENTIAL:
        out = np.empty((len(times), *directions.shape))
        boris_in_curl(make_potential(job, realisation), plan.turn, origins, directions,
                      plan.interval_steps, plan.interval_step, out)
        return out
    state = empty_state(len(directions), len(times))
    start(state, 0, len(directions), origins, directions, plan)
    advance(make_field(job, realisation).arrays, plan, state, 0, len(directions), "boris")
    return state.out_position


def transport_realisation(setup, realisation, tick=lambda: None):
    """Response and running diffusion coefficient of one realisation.

    Returns
    -------
    dict of "scheme|cells" to list (2, n_stop)
        trace(M)/3 = <n.X> (pc), trace(D)/(3 c) = <X^2>/(6 T) (pc), means over observers and
        directions.
    """
    waves, times = setup.waves(), setup.times()
    generator = np.random.default_rng([realisation, 2])
    sky = healpix_directions(setup.nside)
    origins = np.repeat(generator.uniform(-5000, 5000, (setup.observers, 3)), len(sky), axis=0)
    directions = np.tile(sky, (setup.observers, 1))
    found = {}
    for scheme, cells in setup.cases():
        x = displacements(waves, scheme, cells, realisation, origins, directions, times)
        response = np.mean(np.sum(x * directions, axis=2), axis=1)
        diffusion = np.mean(np.sum(x**2, axis=2), axis=1) / (6 * times)
        found[f"{scheme}|{cells:g}"] = [response.tolist(), diffusion.tolist()]
        tick()
    return found


# ---- time ----------------------------------------------------------------------------------------

KERNELS = {"trilinear, cells": ("trilinear", "cells"), "trilinear, nodes": ("trilinear", "nodes"),
           "Catmull-Rom": ("catmull-rom", "nodes"), "B-spline": ("b-spline", "nodes")}
"""Name -> grids.interpolation, grids.layout."""


def kernel_seconds(rounds, cells, rigidities=(1.0, 10.0), tick=lambda: None):
    """ns per particle-step of the program's kernel in problem P1 of the benchmark (three levels).

    Returns
    -------
    dict of "kernel|PV" to list (rounds,)
        Kernels take turns; process time.
    """
    runs = {}
    for name, (interpolation, layout) in KERNELS.items():
        field = make_field(nested_job(cells, overrides=(
            f"grids.interpolation={interpolation}", f"grids.layout={layout}")))
        for rigidity in rigidities:
            runs[f"{name}|{rigidity:g}"] = _tracker(field, rigidity)
    return _take_turns(runs, rounds, tick)


def _tracker(field, rigidity, gyroradii=20):
    length = float(gyroradius(rigidity, B_UNIFORM))
    plan = make_plan(B_UNIFORM, np.inf, rigidity, [gyroradii * length], sphere=False,
                     method="boris", steps_per_gyroradius=STEPS_PER_GYRORADIUS, tolerance=1e-4)
    directions = healpix_directions(8)
    state = empty_state(len(directions), 1)

    def run():
        start(state, 0, len(directions), np.zeros(3), directions, plan)
        began = time.process_time()
        advance(field.arrays, plan, state, 0, len(directions), "boris")
        return 1e9 * (time.process_time() - began) / state.steps.sum()

    return run


def curl_seconds(rounds, tick=lambda: None):
    """ns per level and point of plain code, B-spline of B and curl of A: dict of list (rounds,)."""
    job = ONE_LEVEL.job("B-spline", 4.0, "single")
    points = np.cumsum(np.random.default_rng(5).normal(0, 0.1, (20_000, 3)), axis=0)
    out = np.empty_like(points)
    potential, field = make_potential(job, 0), make_field(job, 0)

    def timed(evaluate):
        def run():
            began = time.process_time()
            evaluate()
            return 1e9 * (time.process_time() - began) / len(points)

        return run

    return _take_turns({"B-spline": timed(lambda: field.at(points)), POTENTIAL: timed(
        lambda: curl_at_points(potential, points, out))}, rounds, tick)


def _take_turns(runs, rounds, tick):
    for run in runs.values():
        run()  # compiles
    found = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            found[name].append(run())
            tick()
    return found
