"""Compile or load every kernel of a job before the clock starts."""

import numpy as np

from hpc_cr.campaigns.work import plan_of
from hpc_cr.fields.interpolation import FieldArrays
from hpc_cr.fields.nested import grid_dtype
from hpc_cr.fields.spectrum import mode_normalisation
from hpc_cr.fields.synthesis import synthesise_component
from hpc_cr.parallel.communicator import wait
from hpc_cr.trajectories.backtrack import advance
from hpc_cr.trajectories.state import empty_state, start


def warm_up(job, comm, stopped):
    """Load the kernels of all cases; collective over `comm`.

    Rank 0 goes first and leaves what it compiles in the cache; the others then load it, instead
    of all compiling the same at once.

    Parameters
    ----------
    job : Job
    comm : Comm
    stopped : callable
        Asked between kernels; a true answer leaves the rest out, since the run will end at once.
    """
    import healpy  # noqa: F401  (takes a second, which is no tracking time either)

    if comm.rank == 0:
        load_kernels(job, stopped)
    wait(comm.Ibarrier(), stopped)
    if comm.rank != 0:
        load_kernels(job, stopped)


def load_kernels(job, stopped=lambda: False):
    """Run every kernel of a job once on next to nothing (`stopped` as in `warm_up`)."""
    for case in job.cases:
        one = case.job
        grid = np.zeros((1, 9, 9, 9, 4), grid_dtype(one))
        for level in one.levels:
            mode_normalisation(level, one.turbulence.slope)
        if stopped():
            return
        if one.levels:
            tiny = one.levels[0]._replace(cells=8, box=4.0, longest=2.0, shortest=1.0)
            synthesise_component(grid[0], 0, tiny, one.turbulence.slope,
                                 np.zeros(2, np.uint64), compensate=one.grids.compensate)
        if stopped():
            return
        nothing = np.zeros((0, 3))
        arrays = FieldArrays(np.zeros(3), grid, np.eye(3)[None], np.zeros((1, 3, 4)), nothing,
                             nothing, nothing)
        plan = plan_of(one, 0)
        state = empty_state(1, len(plan.stops))
        short = plan._replace(stops=plan.stops * 1e-9, interval_steps=plan.interval_steps * 0 + 1,
                              interval_step=plan.interval_step * 1e-9, step=plan.step * 1e-9)
        start(state, 0, 1, np.zeros(3), np.eye(3)[:1], short)
        advance(arrays, short, state, 0, 1, one.integrator.method)
