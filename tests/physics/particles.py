"""Jobs and particles that several physics tests of transport share.

Forward-moving particles are positive, start at random places of their own realisations and move
along their momentum: nothing of the backtracking (antiparticles from one observer) enters.
"""

import numpy as np

from hpc_cr import make_field
from hpc_cr.config import parse_job
from hpc_cr.constants import GYRORADIUS_PC_UG_PER_PV
from hpc_cr.trajectories import backtrack


def transport_job(outer=100.0, inner=10.0, *, rms=4.0, cells=64, levels="auto", seed=1,
                  regular=None):
    """A job with Kolmogorov turbulence between `outer` and `inner` (pc) on nested grids.

    Parameters
    ----------
    outer, inner : float
        L_max and L_min in pc.
    rms : float
        B_rms in uG; 0 for none.
    cells, levels, seed
        As in the job file.
    regular : (strength in uG, [l, b] in degrees), optional
    """
    levels = f'"{levels}"' if isinstance(levels, str) else levels
    text = (f'[run]\nkind = "anisotropy"\nseed = {seed}\n'
            f'[turbulence]\nrms = "{rms!r} uG"\nouter_scale = "{outer!r} pc"\n'
            f'inner_scale = "{inner!r} pc"\n'
            f"[grids]\ncells = {cells}\nlevels = {levels}\nperiods = 4.0\n"
            '[particles]\nrigidities = ["1000 PV"]\nnside = 1\n'
            '[boundary]\nkind = "time"\ntimes = ["10 pc"]\n')
    if regular is not None:
        strength, direction = regular
        text += (f'[regular]\nmodel = "uniform"\nstrength = "{strength!r} uG"\n'
                 f"direction = {[float(angle) for angle in direction]}\n")
    return parse_job(text)


def rigidity_of(gyroradius, field):
    """Rigidity in PV whose gyroradius (pc) in sqrt(B0^2 + B_rms^2) this is."""
    return gyroradius * field.b_ref / GYRORADIUS_PC_UG_PER_PV


def isotropic(generator, count):
    """Unit vectors (count, 3)."""
    vectors = generator.standard_normal((count, 3))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def forward(job, realisation, gyroradius, count, times, *, steps_per_gyroradius=8.0, charge=+1):
    """Positive particles moving forward in time through one realisation of a job.

    Parameters
    ----------
    job : Job
    realisation : int
    gyroradius : float
        pc.
    count : int
        Particles, with isotropic momenta, uniformly placed in a cube of 4 kpc.
    times : array_like (n_stop,)
        pc.
    charge : {+1, -1}
        -1 makes antiparticles of them, for negative controls.

    Returns
    -------
    Trajectories
        With X the displacement from, and U the momentum direction after, the start.
    """
    field = make_field(job, realisation)
    generator = np.random.default_rng([20240517, job.run.seed, realisation])
    return backtrack(field, rigidity_of(gyroradius, field), isotropic(generator, count), times,
                     position=generator.uniform(-2000, 2000, (count, 3)), charge=charge,
                     steps_per_gyroradius=steps_per_gyroradius)


def mean_and_error(samples):
    """Mean over the leading axis (independent realisations) and its standard error."""
    samples = np.asarray(samples, float)
    return samples.mean(axis=0), samples.std(axis=0, ddof=1) / np.sqrt(len(samples))
