"""Compile or load every kernel of a job before the clock starts."""

import sys
from importlib import import_module

import numpy as np
from numba.core.registry import cpu_target

from hpc_cr.campaigns.experiments import experiment_of
from hpc_cr.campaigns.work import plan_of
from hpc_cr.fields.layouts import aligned_empty
from hpc_cr.fields.nested import field_layout, field_on, synthesis_steps
from hpc_cr.fields.spectrum import mode_normalisation
from hpc_cr.kernel import alone_in_cache
from hpc_cr.parallel import watchdog
from hpc_cr.parallel.communicator import wait
from hpc_cr.trajectories.backtrack import advance
from hpc_cr.trajectories.state import empty_state, start


def warm_up(job, comm, stopped):
    """Load the kernels of all cases; collective over `comm`.

    Rank 0 goes first and leaves what it compiles in the cache; the others then load it, instead
    of all compiling the same at once. What takes long where nothing is to be compiled, the
    imports and the start of numba, all ranks do before that.

    Parameters
    ----------
    job : Job
    comm : Comm
    stopped : callable
        Asked between kernels; a true answer leaves the rest out, since the run will end at once.
    """
    if job.run.kind == "galaxy":  # nothing is compiled
        import_module("hpc_cr.campaigns.galaxy_setting")
        return
    # minutes where thousands of ranks read them from one file system
    _import("pyfftw", without="scipy.fftpack")
    stopped()
    if job.run.kind == "anisotropy":
        _import("healpy", without="matplotlib")
        stopped()
    cpu_target.typing_context.refresh()
    cpu_target.target_context.refresh()
    if comm.rank == 0:
        with alone_in_cache(stopped):
            load_kernels(job, stopped)
            watchdog.load()
    wait(comm.Ibarrier(), stopped)
    if comm.rank != 0:
        load_kernels(job, stopped)
        watchdog.load()


def _import(name, without):
    """Import a module as where another one, for interfaces that no job uses, is not installed."""
    hidden = without not in sys.modules
    if hidden:
        sys.modules[without] = None
    try:
        import_module(name)
    finally:
        if hidden:
            del sys.modules[without]


def load_kernels(job, stopped=lambda: False):
    """Run every kernel of a job once on next to nothing (`stopped` as in `warm_up`)."""
    if job.run.kind == "galaxy":
        return
    for case in job.cases:
        one = case.job
        for level in one.levels:
            mode_normalisation(level, one.turbulence.slope)
        if stopped():
            return
        tiny = _tiny(one)
        spectrum, grid = (aligned_empty(*layout) for layout in field_layout(tiny))
        for _ in synthesis_steps(tiny, 0, spectrum, grid):
            if stopped():
                return
        field = field_on(grid, tiny, 0)
        plan = plan_of(one, 0)
        state = empty_state(1, len(plan.stops))
        short = plan._replace(stops=plan.stops * 1e-9, interval_steps=plan.interval_steps * 0 + 1,
                              interval_step=plan.interval_step * 1e-9, step=plan.step * 1e-9)
        start(state, 0, 1, np.zeros(3), np.eye(3)[:1], short)
        if stopped():
            return
        advance(field.arrays, short, state, 0, 1, one.integrator.method)
        experiment_of(one).load_kernels(field)


def _tiny(job):
    """The same kind of field as a job's on one level of 8 cells (Job)."""
    grids = job.grids.model_copy(update={"cells": 8, "boxes": (4.0,), "bands": ((2.0, 1.0),)})
    turbulence = job.turbulence.model_copy(update={"outer_scale": 2.0, "inner_scale": 1.0,
                                                   "waves": 1})
    return job.model_copy(update={"grids": grids, "turbulence": turbulence})
