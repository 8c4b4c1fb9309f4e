"""Synthesis of one periodic cube of turbulence with FFTW.

Gaussian, isotropic and divergence-free: each mode k of the band carries a complex amplitude
A = Q^T (e1 a + e2 b) with e1, e2 perpendicular to k, independent normal a, b and the rotation Q of
the cube, so that the cube holds vectors in Galactic axes at points of its own lattice. Reality asks
for A(-k) = A(k)* also inside the plane k_z = 0 of the half-complex array, where both members of a
pair are stored: the second one is derived from the first. (A transform fed with independent
numbers there keeps half of that plane's power, an anisotropy locked to the z axis.) The Nyquist
planes stay empty.

Most of a half-complex array is empty, since its band ends well below the Nyquist wave number. So
the transform goes axis by axis through what holds modes, the three components together:

1. `fill_spectrum`: columns along x of TILE neighbouring m_y are filled with amplitudes,
   transformed, and put down by planes of x, where m_y runs fastest;
2. `write_planes`: each plane of x is transformed along y, then along z, and stored.

Both are shared among ranks, who see one `spectrum`; all must have finished the first before any
begins the second. Every rank transforms pieces of the same shape with the same plan, so that bits
do not depend on how many share. Plans are FFTW_ESTIMATE on aligned buffers without wisdom, because
measured plans give other bits from call to call.
"""

import threading
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from hpc_cr.fields.layouts import LINE, LINEAR_CELLS, PADDING, interleave, plain_nodes, write_cells
from hpc_cr.fields.random import four_normals
from hpc_cr.fields.spectrum import mode_variances
from hpc_cr.kernel import njit
from hpc_cr.transfer import LEAST_TRANSFER, axis_transfer

TILE = 16
"""Columns of neighbouring m_y that are transformed together: two cache lines of complex64."""


def extent_of(level):
    """Largest component of a mode of a level's band, in units of 2 pi/box (int)."""
    # modes on the Nyquist planes do not exist
    return min(level.cells // 2 - 1, int(np.ceil(level.box / level.shortest)) - 1)


def spectrum_shape(level):
    """Shape (cells, 3, extent+1, n) of the array between the two parts, n >= 2 extent + 1.

    [x, component, m_z, m_y + extent], complex, uG.
    """
    extent = extent_of(level)
    return (level.cells, 3, extent + 1, -(-(2 * extent + 1) // TILE) * TILE)


# ---- amplitudes --------------------------------------------------------------------------------


class Modes(NamedTuple):
    """What the amplitudes of a level's modes depend on."""

    rms: np.ndarray  # (m2 + 1,) uG by squared length: half the r.m.s. amplitude, 0 outside
    transfer: np.ndarray  # (extent + 1,) amplitude that interpolation keeps, by |component|
    least: float  # smallest transfer that is divided out
    rotation: np.ndarray  # (3, 3) Q: the level's axes as rows in Galactic Cartesian
    key0: np.uint64
    key1: np.uint64


def modes_of(level, slope, key, rotation, compensate=True, interpolation="trilinear"):
    """Modes of a level.

    Parameters
    ----------
    level : Level
        Box and band in pc, rms in uG, cells.
    slope : float
        q of E(k) ~ k^-q.
    key : ndarray (2,) of uint64
        From `hpc_cr.fields.random.philox_key`.
    rotation : ndarray (3, 3)
        The level's axes as rows in Galactic Cartesian.
    compensate : bool
        Divide the transfer of the interpolation out, down to LEAST_TRANSFER. Otherwise the nodes
        hold the field itself.
    interpolation : {"trilinear", "catmull-rom", "b-spline"}
    """
    transfer = axis_transfer(interpolation, np.arange(extent_of(level) + 1) / level.cells)
    if not compensate:
        transfer[:] = 1.0
    return Modes(0.5 * np.sqrt(mode_variances(level, slope)), transfer,
                 LEAST_TRANSFER[interpolation], np.ascontiguousarray(rotation, float),
                 key[0], key[1])


@njit
def _fill_line(tile, column, begin, end, my, mz, modes, draws, factors, waves):
    """Amplitudes of the modes (mx, my, mz), mx = begin..end-1 of one sign, into a column.

    draws (4, n), factors (n,), waves (6, n): work space. Loops of few arrays each, which the
    compiler turns into vector instructions.
    """
    # of a pair (k, -k) in the plane k_z = 0 the member with m_y > 0, or m_y = 0 and m_x > 0, has
    # the random numbers
    sign = -1 if mz == 0 and (my < 0 or (my == 0 and begin < 0)) else 1
    key0, key1 = modes.key0, modes.key1
    for i in range(end - begin):
        draws[0, i], draws[1, i], draws[2, i], draws[3, i] = four_normals(
            sign * (begin + i), sign * my, mz, 0, key0, key1)
    across = modes.transfer[abs(my)] * modes.transfer[mz]
    for i in range(end - begin):
        mx = begin + i
        factors[i] = (modes.rms[mx * mx + my * my + mz * mz]
                      / max(modes.transfer[abs(mx)] * across, modes.least))
    q = modes.rotation
    q00, q01, q02 = q[0, 0], q[0, 1], q[0, 2]
    q10, q11, q12 = q[1, 0], q[1, 1], q[1, 2]
    q20, q21, q22 = q[2, 0], q[2, 1], q[2, 2]
    y, z = float(sign * my), float(mz)
    for i in range(end - begin):
        x = float(sign * (begin + i))
        perpendicular2 = x * x + y * y
        unit1 = 1.0 / np.sqrt(perpendicular2)
        unit2 = 1.0 / np.sqrt(perpendicular2 * (perpendicular2 + z * z))
        # k along z: any pair in the xy plane will do
        along = perpendicular2 == 0.0
        e1x = 1.0 if along else -y * unit1
        e1y = 0.0 if along else x * unit1
        e2x = 0.0 if along else -x * z * unit2
        e2y = 1.0 if along else -y * z * unit2
        e2z = 0.0 if along else perpendicular2 * unit2
        re, im = factors[i], factors[i] * sign
        a_re, a_im = re * draws[0, i], im * draws[1, i]
        b_re, b_im = re * draws[2, i], im * draws[3, i]
        x_re, x_im = e1x * a_re + e2x * b_re, e1x * a_im + e2x * b_im
        y_re, y_im = e1y * a_re + e2y * b_re, e1y * a_im + e2y * b_im
        z_re, z_im = e2z * b_re, e2z * b_im
        waves[0, i] = q00 * x_re + q10 * y_re + q20 * z_re
        waves[1, i] = q00 * x_im + q10 * y_im + q20 * z_im
        waves[2, i] = q01 * x_re + q11 * y_re + q21 * z_re
        waves[3, i] = q01 * x_im + q11 * y_im + q21 * z_im
        waves[4, i] = q02 * x_re + q12 * y_re + q22 * z_re
        waves[5, i] = q02 * x_im + q12 * y_im + q22 * z_im
    start = begin % tile.shape[2]
    for c in range(3):
        for i in range(end - begin):
            tile[c, column, start + i] = complex(waves[2 * c, i], waves[2 * c + 1, i])


@njit(nogil=True)
def fill_tile(tile, first, mz, modes):
    """Fill tile[component, column, mx mod cells] with the amplitudes of (mx, first + column, mz).

    tile is (3, n, cells) complex, uG. Counter of a mode: its integer wave vector. Returns whether
    there is any mode; if not, the tile is left as it is.
    """
    extent = len(modes.transfer) - 1
    longest2 = len(modes.rms) - 1
    draws, factors = np.empty((4, extent + 1)), np.empty(extent + 1)
    waves = np.empty((6, extent + 1))
    found = False
    for column in range(tile.shape[1]):
        my = first + column
        rest = longest2 - my * my - mz * mz
        if abs(my) > extent or rest < 0:
            continue
        if not found:
            tile[:] = 0.0
            found = True
        reach = min(extent, int(np.sqrt(float(rest))))
        for begin, end in ((-reach, 0), (0, reach + 1)):
            _fill_line(tile, column, begin, end, my, mz, modes, draws, factors, waves)
    return found


# ---- transforms --------------------------------------------------------------------------------


@njit(nogil=True)
def _put_down(spectrum, tile, first, mz, found):
    """spectrum[x, c, mz, first + column] = tile[c, column, x], or zero."""
    for x in range(spectrum.shape[0]):
        for c in range(3):
            for column in range(tile.shape[1]):
                spectrum[x, c, mz, first + column] = tile[c, column, x] if found else 0.0


@njit(nogil=True)
def _gather(rows, half, modes):
    """Rows of one plane: rows[c, mz, my mod cells] = modes[c, mz, my + extent].

    Empty where there are no modes: rows between them, which nobody else writes, and the end of
    half, [c, y, mz], which its transform may overwrite.
    """
    extent, cells = rows.shape[1] - 1, rows.shape[2]
    for c in range(3):
        for mz in range(extent + 1):
            for my in range(extent + 1):
                rows[c, mz, my] = modes[c, mz, extent + my]
            for my in range(extent):
                rows[c, mz, cells - extent + my] = modes[c, mz, my]
        half[c, :, extent + 1:] = 0.0


_planning = threading.Lock()


class _Transforms:
    """Aligned buffers and FFTW plans of one rank (or thread) for a level's pieces.

    Rows are padded by part of a page: lengths that are powers of two would fall on few cache sets.
    """

    def __init__(self, cells, extent, kind):
        import pyfftw

        complex_type = np.result_type(kind, np.complex64)
        spare = LINE // complex_type.itemsize

        def buffer(*shape, padding=0):
            whole = pyfftw.zeros_aligned((*shape[:-1], shape[-1] + padding), complex_type, n=LINE)
            return whole[..., :shape[-1]]

        lines = cells // 2 + 1
        self.tile = buffer(3, TILE, cells, padding=spare)
        self.rows = buffer(3, extent + 1, cells)
        self.half = buffer(3, cells, lines, padding=-lines % spare)
        self.real = pyfftw.zeros_aligned((3, cells, cells), kind, n=LINE)
        self.modes_of_half = self.half[:, :, :extent + 1].transpose(0, 2, 1)
        with _planning:
            # wisdom gathered by other code would silently return in ESTIMATE plans: put it aside
            wisdom = pyfftw.export_wisdom()
            pyfftw.forget_wisdom()
            options = {"direction": "FFTW_BACKWARD", "threads": 1}
            self.along_x = pyfftw.FFTW(self.tile, self.tile, axes=(2,),
                                       flags=("FFTW_ESTIMATE",), **options)
            # out of place and input kept: what is empty in rows stays so
            self.along_y = pyfftw.FFTW(self.rows, self.modes_of_half, axes=(2,),
                                       flags=("FFTW_ESTIMATE",), **options)
            self.along_z = pyfftw.FFTW(self.half, self.real, axes=(2,), flags=(
                "FFTW_ESTIMATE", "FFTW_DESTROY_INPUT"), **options)
            pyfftw.import_wisdom(wisdom)

    def nodes(self, plane, modes):
        """Fill a plane of nodes, as of `interleave`, from its part of the spectrum."""
        _gather(self.rows, self.half, modes)
        self.along_y.execute()
        self.along_z.execute()
        interleave(plane, self.real)


@lru_cache(maxsize=8)
def _transforms(cells, extent, kind, rank):
    """Transforms; one per rank, since several ranks may be threads of one process."""
    return _Transforms(cells, extent, kind)


def _kind(spectrum):
    return np.dtype(np.float32 if spectrum.dtype == np.complex64 else np.float64)


def fill_spectrum(spectrum, level, modes, rank=0, size=1):
    """First part of a level's synthesis: amplitudes, and transforms along x.

    Parameters
    ----------
    spectrum : ndarray, shape `spectrum_shape(level)`, complex64 or complex128
        Seen by all ranks; this one fills every size-th m_z from `rank`, so that all have as much
        to do: few columns hold modes where m_z is large.
    level : Level
    modes : Modes
        From `modes_of`.
    rank, size : int
        Who shares the work.

    Yields
    ------
    None
        Between pieces of work.
    """
    extent = extent_of(level)
    transforms = _transforms(level.cells, extent, _kind(spectrum), rank)
    for mz in range(rank, extent + 1, size):
        for first in range(0, spectrum.shape[3], TILE):
            found = fill_tile(transforms.tile, first - extent, mz, modes)
            if found:
                transforms.along_x.execute()
            _put_down(spectrum, transforms.tile, first, mz, found)
        yield


def write_planes(grid, spectrum, level, rank=0, size=1):
    """Second part of a level's synthesis: transforms along y and z, and the grid.

    Parameters
    ----------
    grid : ndarray, shape `hpc_cr.fields.layouts.level_shape`, uint16, float32 or float64
        Seen by all ranks, aligned to a cache line; this one writes its share of planes or cells.
    spectrum, level, rank, size
        As of `fill_spectrum`, which all ranks must have finished.

    Yields
    ------
    None
        Between pieces of work.
    """
    cells = level.cells
    transforms = _transforms(cells, extent_of(level), _kind(spectrum), rank)
    first, last = cells * rank // size, cells * (rank + 1) // size
    if grid.ndim != LINEAR_CELLS:
        planes, before = plain_nodes(grid), PADDING[grid.ndim] // 2
        for x in range(first, last):
            plane = planes[x + before]
            transforms.nodes(plane, spectrum[x])
            for repeated in (x + before - cells, x + before + cells):
                if 0 <= repeated < len(planes):
                    planes[repeated] = plane
            yield
        return
    if grid.ctypes.data % LINE:
        raise ValueError(f"a grid of cells must be aligned to {LINE} bytes")
    near, far = np.empty((2, cells + 1, cells + 1, 4), grid.dtype)
    for x in range(first, last):
        if x == first:
            transforms.nodes(near, spectrum[x])
            yield
        transforms.nodes(far, spectrum[(x + 1) % cells])
        write_cells(grid, x, near, far)
        near, far = far, near
        yield
