"""P7: the transport equation of the Galaxy, one nucleus at one energy on 200 x 200 cells.

The program evaluates the diffusion coefficient on the faces, assembles, factorises, solves and
balances, as a running job does. The yardstick is FiPy on the same cells and coefficients: its
assembly and its default solver, once its mesh is there.
"""

import sys
import time
from importlib import import_module

import numpy as np

from hpc_cr.campaigns.galaxy_setting import setting
from hpc_cr.config import load_job
from hpc_cr.config.shipped import shipped_jobs
from hpc_cr.galaxy import network
from tools.bench.timing import Figure, take_turns

ENERGY = 20
"""Of the job geminga_lrmf: 2 TV."""


def serial_fipy():
    """FiPy without MPI.

    It starts MPI where mpi4py is installed, and a process with MPI cannot start mpirun.
    """
    if "fipy" not in sys.modules:
        there = sys.modules.get("mpi4py")
        sys.modules["mpi4py"] = None
        try:
            import_module("fipy")
        finally:
            del sys.modules["mpi4py"]
            if there is not None:
                sys.modules["mpi4py"] = there
    return sys.modules["fipy"]


def fipy_seconds(problem):
    """A function that solves the problem's first nucleus with FiPy and returns its seconds."""
    fipy = serial_fipy()
    grid = problem.grid
    n_r, n_z = grid.shape
    mesh = fipy.CylindricalGrid2D(dr=np.diff(grid.r_edges), dz=np.diff(grid.z_edges))
    medium = network.medium(problem, 0, ENERGY)
    # FiPy numbers the faces across z first, row by row of constant z
    on_faces = np.concatenate([medium.d_z.T.ravel(), medium.d_r.T.ravel()])
    coefficient = fipy.FaceVariable(mesh=mesh, value=on_faces)
    injected = problem.injection[0][ENERGY] * problem.site
    source = fipy.CellVariable(mesh=mesh, value=injected.T.ravel())
    loss = fipy.CellVariable(mesh=mesh, value=medium.loss.T.ravel())

    def seconds():
        density = fipy.CellVariable(mesh=mesh, value=0.0)
        density.constrain(0.0, mesh.facesRight)
        density.constrain(0.0, mesh.facesTop)
        equation = (fipy.DiffusionTerm(coeff=coefficient) - fipy.ImplicitSourceTerm(coeff=loss)
                    + source == 0)
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
