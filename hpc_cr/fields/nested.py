"""The magnetic field around the observer: regular field plus turbulence on nested grids.

B(x) = B0 + sum over levels of Q^T b(Q x + offset): each level is a periodic cube b that carries
its own band of the one spectrum; a random rotation Q and a random offset per level, and boxes
whose ratios are not simple, keep periods and axes from showing (design after Giacinti et al.
2012, JCAP 07 031, for the nesting). `make_field` builds one realisation of a job.
"""

import numpy as np

from hpc_cr.fields.interpolation import FieldArrays, field_at_points
from hpc_cr.fields.plane_waves import plane_waves
from hpc_cr.fields.random import FIELD_STREAM, WAVE_STREAM, philox_key, seed_sequence
from hpc_cr.fields.synthesis import synthesise_component


class MagneticField:
    """One realisation of the magnetic field.

    Attributes
    ----------
    arrays : FieldArrays
        What the kernels read.
    b_ref : float
        sqrt(B0^2 + B_rms^2) in uG, the field of the gyroradius r_g.
    shortest : float
        L_min in pc; infinite without turbulence.
    """

    def __init__(self, arrays, b_ref, shortest):
        self.arrays = arrays
        self.b_ref = b_ref
        self.shortest = shortest

    def at(self, points):
        """Field at points.

        Parameters
        ----------
        points : array_like (n, 3) or (3,)
            Galactic Cartesian, pc, the observer at the origin.

        Returns
        -------
        ndarray, same shape
            B in uG, Galactic Cartesian.
        """
        points = np.asarray(points, dtype=float)
        if points.shape[-1:] != (3,):
            raise ValueError(f"points must have shape (n, 3), not {points.shape}")
        flat = np.ascontiguousarray(points.reshape(-1, 3))
        out = np.empty_like(flat)
        field_at_points(self.arrays, flat, out)
        return out.reshape(points.shape)


def random_rotation(generator):
    """Uniformly distributed proper rotation (3, 3), from a normal quaternion (Marsaglia 1972)."""
    quaternion = generator.standard_normal(4)
    w, x, y, z = quaternion / np.sqrt(quaternion @ quaternion)
    return np.array([
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ])


def grid_shape(job):
    """Shape (n_level, cells+1, cells+1, cells+1, 4) of a job's grids."""
    nodes = job.grids.cells + 1
    return (len(job.levels), nodes, nodes, nodes, 4)


def grid_dtype(job):
    """float32 or float64, from `grids.precision`."""
    return np.dtype("float32" if job.grids.precision == "single" else "float64")


def synthesis_units(job):
    """Independent pieces of a realisation's synthesis: list of (level number, component)."""
    return [(n, c) for n in range(len(job.levels)) for c in range(3)]


def synthesise_unit(grid, job, realisation, unit, threads=1):
    """Fill one component of one level of `grid` (shape `grid_shape(job)`), uG."""
    number, component = unit
    key = philox_key(seed_sequence(job.run.seed, realisation, FIELD_STREAM, number))
    synthesise_component(grid[number], component, job.levels[number], job.turbulence.slope, key,
                         compensate=job.grids.compensate, threads=threads)


def field_on(grid, job, realisation):
    """The field of one realisation around already filled grids.

    Parameters
    ----------
    grid : ndarray, shape `grid_shape(job)`
        Filled by `synthesise_unit` for all of `synthesis_units(job)`.
    job : Job
    realisation : int

    Returns
    -------
    MagneticField
    """
    n_level = len(job.levels)
    rotation = np.tile(np.eye(3), (n_level, 1, 1))
    to_cells = np.zeros((n_level, 3, 4))
    for n, level in enumerate(job.levels):
        sequence = seed_sequence(job.run.seed, realisation, FIELD_STREAM, n, 1)
        generator = np.random.Generator(np.random.PCG64(sequence))
        offset = generator.uniform(0, level.cells, 3)
        if job.grids.rotate:
            rotation[n] = random_rotation(generator)
        to_cells[n, :, :3] = rotation[n] * (level.cells / level.box)
        to_cells[n, :, 3] = offset
    turbulence = job.turbulence
    if turbulence.synthesis == "plane-waves" and turbulence.rms > 0:
        sequence = seed_sequence(job.run.seed, realisation, WAVE_STREAM)
        waves = plane_waves(turbulence.rms, turbulence.outer_scale, turbulence.inner_scale,
                            turbulence.slope, turbulence.waves,
                            np.random.Generator(np.random.PCG64(sequence)))
    else:
        waves = (np.zeros((0, 3)),) * 3
    arrays = FieldArrays(np.asarray(job.regular_field, float), grid, rotation, to_cells, *waves)
    return MagneticField(arrays, job.b_ref, job.shortest_wave)


def make_field(job, realisation=0, threads=1):
    """One realisation of a job's magnetic field.

    Parameters
    ----------
    job : Job
        From `hpc_cr.load_job`; its seed, turbulence, grids and regular field are used.
    realisation : int
        Number of the realisation, from 0; the same number gives the same field anywhere.
    threads : int
        FFTW threads; the field does not depend on it.

    Returns
    -------
    MagneticField
        `.at(points)` evaluates it: (n, 3) pc -> (n, 3) uG, Galactic Cartesian.
    """
    import pyfftw

    if not hasattr(job, "turbulence"):
        raise TypeError(f"make_field takes a job from load_job, not {type(job).__name__}")
    if realisation < 0:
        raise ValueError(f"realisation must be 0 or more, not {realisation}")
    shape, dtype = grid_shape(job), grid_dtype(job)
    grid = pyfftw.zeros_aligned(shape, dtype) if shape[0] else np.zeros(shape, dtype)
    for unit in synthesis_units(job):
        synthesise_unit(grid, job, realisation, unit, threads)
    return field_on(grid, job, realisation)
