"""Synthesis of one component of one periodic cube of turbulence with FFTW.

Gaussian, isotropic and divergence-free: each mode k of the band carries a complex amplitude
A = e1 a + e2 b with e1, e2 perpendicular to k and independent normal a, b. Reality asks for
A(-k) = A(k)* also inside the plane k_z = 0 of the half-complex array, where both members of a
pair are stored: the second one is derived from the first. (A transform fed with independent
numbers there keeps half of that plane's power, an anisotropy locked to the z axis.) The Nyquist
planes stay empty.

The transform is done in two parts, one-dimensional along x for the columns that hold modes and
two-dimensional in blocks of (y, z) planes. Plans are FFTW_ESTIMATE on aligned buffers without
wisdom, because measured plans give other bits from call to call.
"""

from functools import lru_cache

import numpy as np

from hpc_cr.config.scales import LEAST_TRANSFER
from hpc_cr.fields.random import four_normals
from hpc_cr.fields.spectrum import in_band, mode_normalisation
from hpc_cr.kernel import njit

PLANES = 8
"""(y, z) planes transformed together: eight complex64 numbers fill one cache line."""


@njit
def trilinear_transfer(mx, my, mz, cells):
    """Amplitude that trilinear interpolation keeps of the mode (mx, my, mz) of a cube.

    prod_i sinc^2(k_i Delta / 2): each linear interpolation convolves with a triangle one cell
    wide on either side.
    """
    transfer = 1.0
    for m in (mx, my, mz):
        if m != 0:
            half = np.pi * m / cells
            transfer *= (np.sin(half) / half) ** 2
    return transfer


@njit
def _amplitude(mx, my, mz, component, factor, key0, key1):
    """Component (0, 1, 2) of the complex vector amplitude of one mode; factor is its r.m.s./2."""
    a_re, a_im, b_re, b_im = four_normals(mx, my, mz, 0, key0, key1)
    perpendicular2 = float(mx * mx + my * my)
    if perpendicular2 == 0.0:  # k along z: any pair in the xy plane will do
        e1 = 1.0 if component == 0 else 0.0
        e2 = 1.0 if component == 1 else 0.0
    else:
        perpendicular = np.sqrt(perpendicular2)
        length = np.sqrt(perpendicular2 + mz * mz)
        if component == 0:
            e1, e2 = -my / perpendicular, -mx * mz / (perpendicular * length)
        elif component == 1:
            e1, e2 = mx / perpendicular, -my * mz / (perpendicular * length)
        else:
            e1, e2 = 0.0, perpendicular / length
    return factor * (e1 * a_re + e2 * b_re), factor * (e1 * a_im + e2 * b_im)


@njit
def fill_columns(columns, component, cells, lowest2, highest2, exponent, normalisation,
                 compensate, least_transfer, key0, key1):
    """Fill columns[my + extent, mz, mx mod cells] with the amplitudes of one component.

    columns is (2 extent + 1, extent + 1, cells) complex, uG; lowest2, highest2 bound the squared
    mode length in units of 2 pi/box; exponent = q + 2; normalisation in uG^2 from
    `mode_normalisation`. Counter of a mode: its integer wave vector, for k_z = 0 that of the
    member of the pair (k, -k) with m_y > 0, or m_y = 0 and m_x > 0.
    """
    extent = (columns.shape[0] - 1) // 2
    columns[:] = 0.0
    for my in range(-extent, extent + 1):
        for mz in range(extent + 1):
            for mx in range(-extent, extent + 1):
                m2 = float(mx * mx + my * my + mz * mz)
                if not in_band(m2, lowest2, highest2):
                    continue
                factor = 0.5 * np.sqrt(normalisation * m2 ** (-0.5 * exponent))
                if compensate:
                    factor /= max(trilinear_transfer(mx, my, mz, cells), least_transfer)
                if mz == 0 and (my < 0 or (my == 0 and mx < 0)):
                    re, im = _amplitude(-mx, -my, 0, component, factor, key0, key1)
                    im = -im
                else:
                    re, im = _amplitude(mx, my, mz, component, factor, key0, key1)
                columns[my + extent, mz, mx % cells] = complex(re, im)


@njit
def _gather_planes(planes, columns, first):
    """planes[p, my mod cells, mz] = columns[my + extent, mz, first + p], zero elsewhere."""
    extent = (columns.shape[0] - 1) // 2
    cells = columns.shape[2]
    planes[:] = 0.0
    for row in range(columns.shape[0]):
        y = (row - extent) % cells
        for mz in range(extent + 1):
            for p in range(planes.shape[0]):
                planes[p, y, mz] = columns[row, mz, first + p]


@njit
def _store_planes(grid, component, planes, first, count):
    """Copy real planes into the interleaved grid, repeating the first row and column."""
    cells = planes.shape[1]
    for p in range(count):
        x = first + p
        for y in range(cells):
            for z in range(cells):
                grid[x, y, z, component] = planes[p, y, z]
            grid[x, y, cells, component] = planes[p, y, 0]
        for z in range(cells + 1):
            grid[x, cells, z, component] = grid[x, 0, z, component]


@njit
def _close_period(grid, component):
    """Repeat the plane x = 0 at x = cells."""
    cells = grid.shape[0] - 1
    for y in range(cells + 1):
        for z in range(cells + 1):
            grid[cells, y, z, component] = grid[0, y, z, component]


@lru_cache(maxsize=8)
def _plans(cells, extent, single, threads):
    """Aligned buffers and FFTW plans for a cube: (columns, x plan, planes, real, yz plan)."""
    import pyfftw

    complex_type, real_type = ("complex64", "float32") if single else ("complex128", "float64")
    columns = pyfftw.zeros_aligned((2 * extent + 1, extent + 1, cells), complex_type)
    planes = pyfftw.zeros_aligned((min(PLANES, cells), cells, cells // 2 + 1), complex_type)
    real = pyfftw.zeros_aligned((min(PLANES, cells), cells, cells), real_type)
    # wisdom gathered by other code would silently return in ESTIMATE plans: put it aside
    wisdom = pyfftw.export_wisdom()
    pyfftw.forget_wisdom()
    options = {"direction": "FFTW_BACKWARD", "flags": ("FFTW_ESTIMATE", "FFTW_DESTROY_INPUT"),
               "threads": threads}
    along_x = pyfftw.FFTW(columns, columns, axes=(2,), **options)
    along_yz = pyfftw.FFTW(planes, real, axes=(1, 2), **options)
    pyfftw.import_wisdom(wisdom)
    return columns, along_x, planes, real, along_yz


def synthesise_component(grid, component, level, slope, key, compensate=True, threads=1):
    """Fill one component of one level's grid with a Gaussian random field.

    Parameters
    ----------
    grid : ndarray (cells + 1, cells + 1, cells + 1, 4), float32 or float64
        Field at the nodes in uG, components last (the fourth is unused), closed periodically by
        one repeated plane on each axis; ``grid[..., component]`` is overwritten.
    component : int
        0, 1 or 2: x, y, z in the cube's own axes.
    level : Level
        Box and band in pc, rms in uG, cells.
    slope : float
        q of E(k) ~ k^-q.
    key : ndarray (2,) of uint64
        From `hpc_cr.fields.random.philox_key`; the same for the three components.
    compensate : bool
        Divide the transfer of trilinear interpolation out (fully for waves of 4 and more cells).
    threads : int
        FFTW threads; the result does not depend on it.
    """
    cells = level.cells
    lowest, highest = level.box / level.longest, level.box / level.shortest
    # modes beyond the band's end and on the Nyquist planes do not exist
    extent = min(cells // 2 - 1, int(np.ceil(highest)))
    single = grid.dtype == np.float32
    columns, along_x, planes, real, along_yz = _plans(cells, extent, single, threads)
    fill_columns(columns, component, cells, lowest**2, highest**2, slope + 2.0,
                 mode_normalisation(level, slope), compensate, LEAST_TRANSFER, key[0], key[1])
    along_x.execute()
    for first in range(0, cells, planes.shape[0]):
        # a last block that would reach over the end starts earlier and repeats planes
        first = min(first, cells - planes.shape[0])
        _gather_planes(planes, columns, first)
        along_yz.execute()
        _store_planes(grid, component, real, first, planes.shape[0])
    _close_period(grid, component)
