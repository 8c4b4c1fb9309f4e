"""P7: the transport equation of the Galaxy, one nucleus at one energy on 200 x 200 cells.

The program evaluates the diffusion coefficient on the faces, assembles, factorises, solves and
balances, as a running job does. The yardstick is FiPy on the same cells and coefficients: its
assembly and its default solver, once its mesh is there.
"""

import time

import numpy as np

from hpc_cr.campaigns.galaxy_setting import setting
from hpc_cr.config import load_job
from hpc_cr.config.shipped import shipped_jobs
from hpc_cr.galaxy import network
from tools.bench.timing import Figure, take_turns

ENERGY = 20
"""Of the job geminga_lrmf: 2 TV."""


def fipy_seconds(problem):
    """A function that solves the problem's first nucleus with FiPy and returns its seconds."""
    from fipy import (
        CellVariable,
        CylindricalGrid2D,
        DiffusionTerm,
        FaceVariable,
        ImplicitSourceTerm,
    )

    grid = problem.grid
    n_r, n_z = grid.shape
    mesh = CylindricalGrid2D(dr=np.diff(grid.r_edges), dz=np.diff(grid.z_edges))
    medium = network.medium(problem, 0, ENERGY)
    # FiPy numbers the faces across z first, row by row of constant z
    coefficient = FaceVariable(mesh=mesh, value=np.concatenate([medium.d_z.T.ravel(),
                                                                medium.d_r.T.ravel()]))
    source = CellVariable(mesh=mesh, value=(problem.injection[0][ENERGY] * problem.site).T.ravel())
    loss = CellVariable(mesh=mesh, value=medium.loss.T.ravel())

    def seconds():
        density = CellVariable(mesh=mesh, value=0.0)
        density.constrain(0.0, mesh.facesRight)
        density.constrain(0.0, mesh.facesTop)
        equation = DiffusionTerm(coeff=coefficient) - ImplicitSourceTerm(coeff=loss) + source == 0
        began = time.process_time()
        equation.solve(var=density)
        spent = time.process_time() - began
        ours = network.alone(problem, 0, ENERGY).density
        if np.abs(density.value.reshape(n_z, n_r).T / ours - 1).max() > 1e-3:
            raise AssertionError("FiPy solved something else")
        return spent

    return seconds


def measure(rounds, say, overrides=()):
    """Figures of P7: seconds per nucleus and energy (list of Figure)."""
    problem, _ = setting(load_job(shipped_jobs()["geminga_lrmf"], overrides).cases[0].job)

    def program():
        began = time.process_time()
        network.alone(problem, 0, ENERGY)
        return time.process_time() - began

    yardstick = fipy_seconds(problem)
    say("first solutions")
    program(), yardstick()
    done = iter(range(1, 2 * rounds + 1))
    found = take_turns({"program": program, "fipy": yardstick}, rounds,
                       lambda: say(f"run {next(done)} of {2 * rounds}"))
    cells = " x ".join(str(n) for n in problem.grid.shape)
    return [Figure("P7", f"one nucleus at one energy on {cells} cells", "s", found["program"],
                   "FiPy on the same cells", found["fipy"])]
