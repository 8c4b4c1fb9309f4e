"""The magnetic field around the observer: regular field plus turbulence on nested grids.

B(x) = B0(x) + s(x) sum over levels of Q^T b(Q x + offset), s = 1 unless the turbulence's strength
changes over the Galaxy: each level is a periodic cube b that carries
its own band of the one spectrum; a random rotation Q and a random offset per level, and boxes
whose ratios are not simple, keep periods and axes from showing (design after Giacinti et al.
2012, JCAP 07 031, for the nesting). The grid holds Q^T b. `make_field` builds one realisation of
a job.
"""

import math
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, BrokenBarrierError

import numpy as np

from hpc_cr.fields.galactic import galactic_array
from hpc_cr.fields.interpolation import FieldArrays, field_at_points
from hpc_cr.fields.layouts import COMPUTED, STORED, aligned_empty, level_shape
from hpc_cr.fields.plane_waves import plane_waves
from hpc_cr.fields.random import FIELD_STREAM, WAVE_STREAM, philox_key, seed_sequence
from hpc_cr.fields.synthesis import fill_spectrum, modes_of, spectrum_shape, write_planes


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

    @property
    def rotation(self):
        """Q (n_level, 3, 3): each level's axes as rows in Galactic Cartesian."""
        axes = self.arrays.to_box[:, :, :3]
        return axes / np.linalg.norm(axes, axis=2, keepdims=True)

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


BALL_POINTS = 1024
"""Points of `smoothed_field` per ball: structure far below the radius averages to 3 % of itself."""


def smoothed_field(at, position, radii):
    """Mean field in balls around a point.

    Parameters
    ----------
    at : callable
        (n, 3) pc -> (n, 3) uG, such as `MagneticField.at`.
    position : array (3,)
        Middle of the balls, pc.
    radii : array (n,)
        pc; 0 for the field at the point itself.

    Returns
    -------
    ndarray (n, 3)
        uG, Galactic Cartesian.
    """
    number = np.arange(BALL_POINTS) + 0.5
    # a spiral over the sphere; the radii run through the volume in another irrational ratio, so
    # that neighbours on the sphere lie at different depths
    cosine, azimuth = 1 - 2 * number / BALL_POINTS, np.pi * (1 + np.sqrt(5)) * number
    sine, depth = np.sqrt(1 - cosine**2), np.cbrt(np.sqrt(2) * number % 1)
    ball = depth * np.stack([sine * np.cos(azimuth), sine * np.sin(azimuth), cosine])
    return np.array([at(position + radius * ball.T).mean(axis=0) if radius > 0 else at(position)
                     for radius in radii])


def random_rotation(generator):
    """Uniformly distributed proper rotation (3, 3), from a normal quaternion (Marsaglia 1972)."""
    quaternion = generator.standard_normal(4)
    w, x, y, z = quaternion / np.sqrt(quaternion @ quaternion)
    return np.array([
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ])


def field_layout(job):
    """Memory that a realisation's synthesis needs.

    Returns
    -------
    spectrum, grid : (shape, dtype)
        The work space of `synthesis_steps`, whole cache lines; the grids, which the field keeps.
    """
    levels, precision = job.levels, job.grids.precision
    shape = (len(levels), *level_shape(job.grids.cells, job.grids.layout,
                                         job.grids.interpolation))
    size = max((math.prod(spectrum_shape(level)) for level in levels), default=0)
    return (((size,), np.result_type(COMPUTED[precision], np.complex64)),
            (shape, STORED[precision]))


def placement(job, realisation, number):
    """How a level lies in space: rotation (3, 3), its axes as rows, and offset (3,) in boxes."""
    level = job.levels[number]
    sequence = seed_sequence(job.run.seed, realisation, FIELD_STREAM, number, 1)
    generator = np.random.Generator(np.random.PCG64(sequence))
    offset = generator.uniform(0, level.cells, 3) / level.cells
    return random_rotation(generator) if job.grids.rotate else np.eye(3), offset


def synthesis_steps(job, realisation, spectrum, grid, rank=0, size=1):
    """Fill the grids of a realisation, alone or together with other ranks.

    Parameters
    ----------
    job : Job
    realisation : int
    spectrum, grid : ndarray, shapes and types from `field_layout(job)`
        Aligned to a cache line. The same memory for all ranks; contents before do not matter.
    rank, size : int
        Who shares the work. The bits do not depend on it.

    Yields
    ------
    bool
        True where all ranks must have come before any goes on; False between pieces of work of
        milliseconds.
    """
    for number, level in enumerate(job.levels):
        key = philox_key(seed_sequence(job.run.seed, realisation, FIELD_STREAM, number))
        modes = modes_of(level, job.turbulence.slope, key, placement(job, realisation, number)[0],
                         job.grids.compensate, job.grids.interpolation)
        shape = spectrum_shape(level)
        part = spectrum[:math.prod(shape)].reshape(shape)
        for _ in fill_spectrum(part, level, modes, rank, size):
            yield False
        yield True
        for _ in write_planes(grid[number], part, level, rank, size):
            yield False
        yield True


def field_on(grid, job, realisation):
    """The field of one realisation around already filled grids.

    Parameters
    ----------
    grid : ndarray
        Filled by `synthesis_steps`.
    job : Job
    realisation : int

    Returns
    -------
    MagneticField
    """
    n_level = len(job.levels)
    to_box = np.zeros((n_level, 3, 4))
    for n, level in enumerate(job.levels):
        rotation, offset = placement(job, realisation, n)
        to_box[n, :, :3] = rotation / level.box
        to_box[n, :, 3] = offset
    turbulence = job.turbulence
    if turbulence.synthesis == "plane-waves" and turbulence.rms > 0:
        sequence = seed_sequence(job.run.seed, realisation, WAVE_STREAM)
        waves = plane_waves(turbulence.rms, turbulence.outer_scale, turbulence.inner_scale,
                            turbulence.slope, turbulence.waves,
                            np.random.Generator(np.random.PCG64(sequence)))
    else:
        waves = (np.zeros((0, 3)),) * 3
    parts = job.regular.components if job.regular.model == "jf12" else ()
    galactic = galactic_array(parts, turbulence.radial_scale or np.inf,
                              turbulence.vertical_scale or np.inf)
    arrays = FieldArrays(np.asarray(job.uniform_field, float), grid, to_box, *waves, galactic)
    return MagneticField(arrays, job.b_ref, job.shortest_wave)


def _synthesise(job, realisation, threads):
    """Grids of a realisation, filled by a number of threads."""
    spectrum, grid = (aligned_empty(*layout) for layout in field_layout(job))
    meeting = Barrier(threads)

    def work(rank):
        try:
            for meet in synthesis_steps(job, realisation, spectrum, grid, rank, threads):
                if meet:
                    meeting.wait()
        except BrokenBarrierError:
            pass  # the thread that broke it says why
        except BaseException:
            # the others would wait for ever
            meeting.abort()
            raise

    if threads == 1:
        work(0)
    else:
        with ThreadPoolExecutor(threads) as pool:
            for ended in [pool.submit(work, rank) for rank in range(threads)]:
                ended.result()
    return grid


def make_field(job, realisation=0, threads=1):
    """One realisation of a job's magnetic field.

    Parameters
    ----------
    job : Job
        From `hpc_cr.load_job`; its seed, turbulence, grids and regular field are used.
    realisation : int
        Number of the realisation, from 0; the same number gives the same field anywhere.
    threads : int
        Threads that share the synthesis; the field does not depend on it.

    Returns
    -------
    MagneticField
        `.at(points)` evaluates it: (n, 3) pc -> (n, 3) uG, Galactic Cartesian.
    """
    if not hasattr(job, "turbulence"):
        raise TypeError(f"make_field takes a job from load_job, not {type(job).__name__}")
    if realisation < 0:
        raise ValueError(f"realisation must be 0 or more, not {realisation}")
    return field_on(_synthesise(job, realisation, threads), job, realisation)
