"""Interpolations under study: those of the program, and one without divergence.

The divergence-free one interpolates a vector potential A with the cubic B-spline and takes its curl
analytically: A of a wave is i k x B/k^2, divided by the B-spline's transfer as the program does.
It is written plainly, one particle at a time.

Every field of a job has the same waves, whatever the interpolation and the number of cells:
amplitudes and the levels' places depend on the waves' integer vectors and the seed alone.
"""

from typing import NamedTuple

import numpy as np
from scipy import fft

from hpc_cr.config import parse_job
from hpc_cr.fields.nested import make_field, placement
from hpc_cr.fields.random import FIELD_STREAM, philox_key, seed_sequence
from hpc_cr.fields.synthesis import extent_of, fill_tile, modes_of
from hpc_cr.kernel import njit
from hpc_cr.transfer import LEAST_TRANSFER, axis_transfer

POTENTIAL = "vector potential"
SCHEMES = {
    "trilinear, plain": ("trilinear", False),
    "trilinear": ("trilinear", True),
    "Catmull-Rom": ("catmull-rom", True),
    "B-spline": ("b-spline", True),
}
"""Name -> grids.interpolation, grids.compensate."""

JOB = """
[run]
seed = {seed}
[turbulence]
rms = "{rms} uG"
[grids]
interpolation = "{interpolation}"
compensate = {compensate}
layout = "nodes"
precision = "{precision}"
cells = {cells}
boxes = {boxes}
bands = {bands}
[particles]
rigidities = ["1 PV"]
[boundary]
times = ["1 pc"]
"""
UNIFORM = """
[regular]
model = "uniform"
strength = "{} uG"
direction = [0, 0]
"""


class Waves(NamedTuple):
    """Bands of turbulence, and how finely they are sampled."""

    longest: float  # L_max, pc
    ratio: float  # longest over shortest wave of a level
    levels: int
    box: int  # box over a level's shortest wave
    rms: float = 4.0  # uG
    uniform: float = 0.0  # uG, along x
    seed: int = 1

    def job(self, scheme, cells_per_wave, precision="half"):
        """Job of a scheme with about so many cells for the shortest wave of each level."""
        interpolation, compensate = SCHEMES[scheme]
        ends = self.longest / self.ratio ** np.arange(self.levels + 1)
        uniform = UNIFORM.format(self.uniform) if self.uniform else ""
        return parse_job(uniform + JOB.format(
            seed=self.seed, rms=self.rms, interpolation=interpolation,
            compensate=str(compensate).lower(), precision=precision,
            cells=2 * round(self.box * cells_per_wave / 2),
            boxes=[f"{self.box * end!r} pc" for end in ends[1:].tolist()],
            bands=[[f"{long!r} pc", f"{short!r} pc"]
                   for long, short in zip(ends.tolist(), ends[1:].tolist(), strict=False)]))


def amplitudes(job, realisation, number):
    """Amplitudes B (3, mx, my, mz) of a level's waves in the level's own axes, uG.

    Components of m from -extent to extent, mz from 0: b(s) = Re sum B exp(2 pi i m.s), s in boxes.
    """
    level = job.levels[number]
    extent = extent_of(level)
    key = philox_key(seed_sequence(job.run.seed, realisation, FIELD_STREAM, number))
    modes = modes_of(level, job.turbulence.slope, key, np.eye(3), False)
    found = np.zeros((3, 2 * extent + 1, 2 * extent + 1, extent + 1), complex)
    tile = np.zeros((3, 2 * extent + 1, level.cells), complex)
    number = np.arange(-extent, extent + 1)
    for mz in range(extent + 1):
        if fill_tile(tile, -extent, mz, modes):
            found[..., mz] = tile[:, :, number].transpose(0, 2, 1) * (1 if mz == 0 else 2)
    return found


def wave_sum(job, realisation, points):
    """The field of all waves at points (n, 3) pc without any grid, (n, 3) uG."""
    total = np.zeros_like(points)
    for number, level in enumerate(job.levels):
        rotation, offset = placement(job, realisation, number)
        waves = amplitudes(job, realisation, number)
        extent = waves.shape[3] - 1
        phase = 2j * np.pi * (points @ rotation.T / level.box + offset)
        whole = np.arange(-extent, extent + 1)
        along_z = waves @ np.exp(phase[:, 2] * whole[extent:, None])
        along_y = np.einsum("cxyn,yn->cxn", along_z, np.exp(phase[:, 1] * whole[:, None]))
        b = np.einsum("cxn,xn->nc", along_y, np.exp(phase[:, 0] * whole[:, None])).real
        total += b @ rotation
    return total


class Potential(NamedTuple):
    """Uniform field, and the vector potential of the turbulence on nested grids."""

    regular: np.ndarray  # (3,) uG
    grid: np.ndarray  # (n_level, N+3, N+3, N+3, 3) float32, uG cells, in the levels' own axes
    to_cells: np.ndarray  # (n_level, 3, 4): position in cells
    rotation: np.ndarray  # (n_level, 3, 3): the levels' axes as rows


def make_potential(job, realisation):
    """The `Potential` of the waves of a job with B-splines."""
    cells, n_level = job.grids.cells, len(job.levels)
    grid = np.empty((n_level, *[cells + 3] * 3, 3), np.float32)
    to_cells, rotations = np.empty((n_level, 3, 4)), np.empty((n_level, 3, 3))
    for n, level in enumerate(job.levels):
        waves = amplitudes(job, realisation, n)
        extent = waves.shape[3] - 1
        whole = np.arange(-extent, extent + 1)
        m = np.meshgrid(whole, whole, whole[extent:], indexing="ij")
        along = axis_transfer("b-spline", whole / cells)
        transfer = along[:, None, None] * along[:, None] * along[extent:]
        k = 2 * np.pi * np.array(m) / cells
        boost = np.maximum(np.sum(k**2, axis=0), 1e-30) * np.maximum(transfer,
                                                                     LEAST_TRANSFER["b-spline"])
        potential = 1j * np.cross(k, waves, axis=0) / boost
        half = np.zeros((3, cells, cells, cells // 2 + 1), complex)
        half[:, whole[:, None], whole, :extent + 1] = potential * np.where(m[2] == 0, 1, 0.5)
        real = fft.irfftn(half, s=(cells,) * 3, axes=(1, 2, 3), norm="forward")
        grid[n] = np.pad(real.transpose(1, 2, 3, 0), [*[(1, 2)] * 3, (0, 0)], mode="wrap")
        rotations[n], offset = placement(job, realisation, n)
        to_cells[n, :, :3] = rotations[n] * cells / level.box
        to_cells[n, :, 3] = offset * cells
    return Potential(np.asarray(job.regular_field, float), grid, to_cells, rotations)


@njit
def _spline(t, w, d):
    """Weights of four nodes and their derivatives."""
    r = 1.0 - t
    w[0], w[3] = r**3 / 6, t**3 / 6
    w[1], w[2] = 2 / 3 - t * t * (1 - t / 2), 2 / 3 - r * r * (1 - r / 2)
    d[0], d[1], d[2], d[3] = -r * r / 2, t * (1.5 * t - 2), r * (2 - 1.5 * r), t * t / 2


@njit
def curl_at(potential, x, y, z, w, d):
    """Field of a vector potential at a point (pc); w, d (3, 4): work space."""
    grid, to, rotation = potential.grid, potential.to_cells, potential.rotation
    cells = grid.shape[1] - 3
    bx, by, bz = potential.regular[0], potential.regular[1], potential.regular[2]
    for n in range(grid.shape[0]):
        cx = to[n, 0, 0] * x + to[n, 0, 1] * y + to[n, 0, 2] * z + to[n, 0, 3]
        cy = to[n, 1, 0] * x + to[n, 1, 1] * y + to[n, 1, 2] * z + to[n, 1, 3]
        cz = to[n, 2, 0] * x + to[n, 2, 1] * y + to[n, 2, 2] * z + to[n, 2, 3]
        fx, fy, fz = np.floor(cx), np.floor(cy), np.floor(cz)
        _spline(cx - fx, w[0], d[0])
        _spline(cy - fy, w[1], d[1])
        _spline(cz - fz, w[2], d[2])
        ix, iy, iz = int(fx) % cells, int(fy) % cells, int(fz) % cells
        ux = uy = uz = 0.0
        for i in range(4):
            for j in range(4):
                sx = sy = sz = tx = ty = 0.0
                for k in range(4):
                    ax, ay, az = (grid[n, ix + i, iy + j, iz + k, 0],
                                  grid[n, ix + i, iy + j, iz + k, 1],
                                  grid[n, ix + i, iy + j, iz + k, 2])
                    sx += w[2, k] * ax
                    sy += w[2, k] * ay
                    sz += w[2, k] * az
                    tx += d[2, k] * ax
                    ty += d[2, k] * ay
                along, across, both = d[0, i] * w[1, j], w[0, i] * d[1, j], w[0, i] * w[1, j]
                ux += across * sz - both * ty
                uy += both * tx - along * sz
                uz += along * sy - across * sx
        q = rotation[n]
        bx += q[0, 0] * ux + q[1, 0] * uy + q[2, 0] * uz
        by += q[0, 1] * ux + q[1, 1] * uy + q[2, 1] * uz
        bz += q[0, 2] * ux + q[1, 2] * uy + q[2, 2] * uz
    return bx, by, bz


@njit
def curl_at_points(potential, points, out):
    """Fill out (n, 3) uG with the field at points (n, 3) pc."""
    w, d = np.empty((3, 4)), np.empty((3, 4))
    for i in range(points.shape[0]):
        out[i, 0], out[i, 1], out[i, 2] = curl_at(potential, points[i, 0], points[i, 1],
                                                  points[i, 2], w, d)


@njit
def boris_in_curl(potential, turn, origins, directions, counts, steps, out):
    """Displacements out (n_stop, n, 3) pc; to each stop counts[i] Boris steps of steps[i] pc."""
    w, d = np.empty((3, 4)), np.empty((3, 4))
    for p in range(directions.shape[0]):
        x, y, z = origins[p, 0], origins[p, 1], origins[p, 2]
        ux, uy, uz = directions[p, 0], directions[p, 1], directions[p, 2]
        for stop in range(counts.size):
            step = steps[stop]
            for _ in range(counts[stop]):
                x, y, z = x + 0.5 * step * ux, y + 0.5 * step * uy, z + 0.5 * step * uz
                bx, by, bz = curl_at(potential, x, y, z, w, d)
                half = 0.5 * step * abs(turn) * np.sqrt(bx * bx + by * by + bz * bz)
                factor = 0.5 * step * turn * np.tan(half) / half
                tx, ty, tz = factor * bx, factor * by, factor * bz
                vx = ux + uy * tz - uz * ty
                vy = uy + uz * tx - ux * tz
                vz = uz + ux * ty - uy * tx
                s = 2.0 / (1.0 + tx * tx + ty * ty + tz * tz)
                ux, uy, uz = (ux + s * (vy * tz - vz * ty), uy + s * (vz * tx - vx * tz),
                              uz + s * (vx * ty - vy * tx))
                x, y, z = x + 0.5 * step * ux, y + 0.5 * step * uy, z + 0.5 * step * uz
            out[stop, p, 0] = x - origins[p, 0]
            out[stop, p, 1] = y - origins[p, 1]
            out[stop, p, 2] = z - origins[p, 2]


def field_function(waves, scheme, cells_per_wave, realisation, precision="single"):
    """A function points (n, 3) pc -> (n, 3) uG for a scheme, the potential included."""
    if scheme != POTENTIAL:
        return make_field(waves.job(scheme, cells_per_wave, precision), realisation).at
    potential = make_potential(waves.job("B-spline", cells_per_wave), realisation)

    def at(points):
        out = np.empty_like(points)
        curl_at_points(potential, points, out)
        return out

    return at
