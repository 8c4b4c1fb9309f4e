"""The magnetic field at a point, for kernels: interpolated grids, plane waves, the Galaxy.

Grids hold the vector in Galactic axes, as `hpc_cr.fields.layouts` says; how a grid lies and is
interpolated is known when a kernel is compiled, from the number of its dimensions.

Kernels move WIDTH points at a time and first find the cells of a step (`locate`, which also asks
for their memory), then move other points, then interpolate (`field_in_cells`): the wait for
memory is spent on work.
"""

from typing import NamedTuple

import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from hpc_cr.fields.cells import cell_of
from hpc_cr.fields.galactic import NO_GALAXY, add_galaxy
from hpc_cr.fields.layouts import PADDING
from hpc_cr.kernel import njit
from hpc_cr.lanes import (
    INDEX,
    LANES,
    VECTOR,
    WIDTH,
    at_most,
    floor,
    load,
    spread,
    spread_value,
    store,
)


class FieldArrays(NamedTuple):
    """All that a kernel needs to evaluate B(x) = regular + s(x) (levels + waves) + JF12(x)."""

    regular: np.ndarray  # (3,) uG, Galactic Cartesian
    # (n_level, *hpc_cr.fields.layouts.level_shape) uG, Galactic axes. uint16 are the bits of half
    # precision, which numba has no arrays of
    grid: np.ndarray
    to_box: np.ndarray  # (n_level, 3, 4): position in boxes = to_box[:, :3] x + to_box[:, 3]
    wave_vector: np.ndarray  # (n_wave, 3) 1/pc
    wave_cos: np.ndarray  # (n_wave, 3) uG, multiplies cos(k.x)
    wave_sin: np.ndarray  # (n_wave, 3) uG, multiplies sin(k.x)
    # (5,) what changes over the Galaxy, (0,) without: s = 1, no JF12; see hpc_cr.fields.galactic
    galactic: np.ndarray = NO_GALAXY


def coarsest_levels(arrays, count):
    """FieldArrays with the first `count` levels only, in the same memory."""
    return arrays._replace(grid=arrays.grid[:count], to_box=arrays.to_box[:count])


# ---- LLVM instructions of all lanes -------------------------------------------------------------


@intrinsic
def _prefetch_cells(typingctx, grid, level, start):
    """Ask for the memory of the cells at byte `start` (Lanes) of a level."""
    def codegen(context, builder, kinds, args):
        cell = cell_of(context, builder, kinds.args[0], *args[:2])
        whole = builder.fptosi(args[2], ir.VectorType(ir.IntType(64), WIDTH))
        for lane in range(WIDTH):
            cell.prefetch(builder.extract_element(whole, INDEX(lane)))
        return context.get_dummy_value()

    return types.void(grid, types.int64, LANES), codegen


@intrinsic
def _add_cells(typingctx, grid, level, start, fx, fy, fz, bx, by, bz):
    """Field in the cells at byte `start`, at fx, fy, fz in [0, 1] within, added to b (Lanes)."""
    def codegen(context, builder, kinds, args):
        array, level, start, *fractions = args[:6]
        cell = cell_of(context, builder, kinds.args[0], array, level)
        narrow = ir.VectorType(cell.number, WIDTH)
        if narrow != VECTOR:
            fractions = [builder.fptrunc(value, narrow) for value in fractions]
        factors = [cell.factors(value) for value in fractions]
        whole = builder.fptosi(start, ir.VectorType(ir.IntType(64), WIDTH))

        def interpolate(lane):
            def factor(axis, number, count):
                mask = ir.Constant(ir.VectorType(INDEX, count), [lane] * count)
                undefined = ir.Constant(narrow, ir.Undefined)
                return builder.shuffle_vector(factors[axis][number], undefined, mask)

            return cell.interpolate(builder.extract_element(whole, INDEX(lane)), factor)

        # the vectors of all lanes one after the other, then every fourth number
        values = [interpolate(lane) for lane in range(WIDTH)]
        while len(values) > 2:
            count = 2 * values[0].type.count
            joined = ir.Constant(ir.VectorType(INDEX, count), list(range(count)))
            values = [builder.shuffle_vector(values[i], values[i + 1], joined)
                      for i in range(0, len(values), 2)]
        sums = []
        for component, b in enumerate(args[6:]):
            mask = ir.Constant(ir.VectorType(INDEX, WIDTH),
                               [4 * lane + component for lane in range(WIDTH)])
            value = builder.shuffle_vector(*values, mask)
            if narrow != VECTOR:
                value = builder.fpext(value, VECTOR)
            sums.append(builder.fadd(b, value))
        return context.make_tuple(builder, kinds.return_type, sums)

    return types.UniTuple(LANES, 3)(grid, types.int64, *[LANES] * 7), codegen


@intrinsic
def _cell_field(typingctx, grid, level, start, fx, fy, fz):
    """Field (three floats) in the cell at byte `start` of a level, for a single point."""
    def codegen(context, builder, kinds, args):
        array, level, start, *fractions = args
        cell = cell_of(context, builder, kinds.args[0], array, level)
        if cell.number != ir.DoubleType():
            fractions = [builder.fptrunc(value, cell.number) for value in fractions]
        factors = [cell.factors(value) for value in fractions]
        result = cell.interpolate(start, lambda axis, number, count: spread_value(
            builder, factors[axis][number], ir.VectorType(cell.number, count)))
        components = [builder.extract_element(result, INDEX(i)) for i in range(3)]
        if cell.number != ir.DoubleType():
            components = [builder.fpext(value, ir.DoubleType()) for value in components]
        return context.make_tuple(builder, kinds.return_type, components)

    return types.UniTuple(types.float64, 3)(grid, types.int64, types.int64,
                                            *[types.float64] * 3), codegen


# ---- kernels -------------------------------------------------------------------------------------


@njit
def cells_of(grid):
    """Cells along an axis of a grid's levels."""
    return grid.shape[1] - PADDING[grid.ndim - 1]


@njit
def work_rows(grid):
    """Rows of WIDTH numbers that `locate` fills."""
    return 4 * grid.shape[0]


@njit
def locate(grid, to_box, x, y, z, where, row):
    """Find the cells of WIDTH points in all levels and ask for their memory.

    Parameters
    ----------
    grid, to_box
        Of `FieldArrays`. (Taken out of it before a loop: each access would count a reference.)
    x, y, z : Lanes
        Points in pc, Galactic Cartesian.
    where : ndarray (..., WIDTH)
        Rows row to row + work_rows(grid) - 1 are filled for `field_in_cells`: per level the
        cell's first byte and the position in the cell.
    row : int
    """
    a = to_box
    cells = float(cells_of(grid))
    _, stride_x, stride_y, stride_z = grid.strides[:4]
    for n in range(a.shape[0]):
        # positions in boxes: taking the whole boxes off leaves numbers in [0, 1], and 1 (by
        # rounding) belongs to the last cell
        px = a[n, 0, 0] * x + a[n, 0, 1] * y + a[n, 0, 2] * z + a[n, 0, 3]
        py = a[n, 1, 0] * x + a[n, 1, 1] * y + a[n, 1, 2] * z + a[n, 1, 3]
        pz = a[n, 2, 0] * x + a[n, 2, 1] * y + a[n, 2, 2] * z + a[n, 2, 3]
        px, py, pz = (px - floor(px)) * cells, (py - floor(py)) * cells, (pz - floor(pz)) * cells
        ix = at_most(floor(px), cells - 1.0)
        iy = at_most(floor(py), cells - 1.0)
        iz = at_most(floor(pz), cells - 1.0)
        # exact: grids have far fewer than 2^53 bytes
        start = ix * float(stride_x) + iy * float(stride_y) + iz * float(stride_z)
        _prefetch_cells(grid, n, start)
        store(where, row, start)
        store(where, row + 1, px - ix)
        store(where, row + 2, py - iy)
        store(where, row + 3, pz - iz)
        row += 4


@njit
def field_in_cells(regular, grid, where, row):
    """Regular field and levels at the WIDTH points that `locate` was given: (bx, by, bz), uG."""
    bx, by, bz = spread(regular[0]), spread(regular[1]), spread(regular[2])
    for n in range(grid.shape[0]):
        bx, by, bz = _add_cells(grid, n, load(where, row), load(where, row + 1),
                                load(where, row + 2), load(where, row + 3), bx, by, bz)
        row += 4
    return bx, by, bz


@njit
def _add_waves(field, x, y, z, bx, by, bz):
    """Add the plane waves at a point to a field."""
    k, c, s = field.wave_vector, field.wave_cos, field.wave_sin
    for n in range(k.shape[0]):
        phase = k[n, 0] * x + k[n, 1] * y + k[n, 2] * z
        cosine, sine = np.cos(phase), np.sin(phase)
        bx += c[n, 0] * cosine + s[n, 0] * sine
        by += c[n, 1] * cosine + s[n, 1] * sine
        bz += c[n, 2] * cosine + s[n, 2] * sine
    return bx, by, bz


@njit
def add_waves(field, x, y, z, bx, by, bz):
    """Add the plane waves at WIDTH points (Lanes) to a field."""
    at, b = np.empty((3, WIDTH)), np.empty((3, WIDTH))
    store(at, 0, x)
    store(at, 1, y)
    store(at, 2, z)
    store(b, 0, bx)
    store(b, 1, by)
    store(b, 2, bz)
    for w in range(WIDTH):
        b[0, w], b[1, w], b[2, w] = _add_waves(field, at[0, w], at[1, w], at[2, w],
                                               b[0, w], b[1, w], b[2, w])
    return load(b, 0), load(b, 1), load(b, 2)


@njit
def add_galaxy_to_lanes(galactic, regular, room, x, y, z, bx, by, bz):
    """Scale the turbulence at WIDTH points (Lanes) and add JF12; `room` (6, WIDTH) to work in."""
    store(room, 0, x)
    store(room, 1, y)
    store(room, 2, z)
    store(room, 3, bx)
    store(room, 4, by)
    store(room, 5, bz)
    for w in range(WIDTH):
        room[3, w], room[4, w], room[5, w] = add_galaxy(
            galactic, regular, room[0, w], room[1, w], room[2, w], room[3, w], room[4, w],
            room[5, w])
    return load(room, 3), load(room, 4), load(room, 5)


@njit
def field_at(field, x, y, z):
    """Magnetic field (bx, by, bz) in uG at a point in pc, Galactic Cartesian."""
    bx, by, bz = field.regular[0], field.regular[1], field.regular[2]
    a = field.to_box
    cells = float(cells_of(field.grid))
    _, stride_x, stride_y, stride_z = field.grid.strides[:4]
    for n in range(a.shape[0]):
        px = a[n, 0, 0] * x + a[n, 0, 1] * y + a[n, 0, 2] * z + a[n, 0, 3]
        py = a[n, 1, 0] * x + a[n, 1, 1] * y + a[n, 1, 2] * z + a[n, 1, 3]
        pz = a[n, 2, 0] * x + a[n, 2, 1] * y + a[n, 2, 2] * z + a[n, 2, 3]
        px = (px - np.floor(px)) * cells
        py = (py - np.floor(py)) * cells
        pz = (pz - np.floor(pz)) * cells
        if not (px + py + pz >= 0.0):
            # no number: no cell either
            return np.nan, np.nan, np.nan
        ix, iy, iz = min(int(px), int(cells) - 1), min(int(py), int(cells) - 1), min(
            int(pz), int(cells) - 1)
        cx, cy, cz = _cell_field(field.grid, n, ix * stride_x + iy * stride_y + iz * stride_z,
                                 px - ix, py - iy, pz - iz)
        bx += cx
        by += cy
        bz += cz
    bx, by, bz = _add_waves(field, x, y, z, bx, by, bz)
    if field.galactic.size > 0:
        bx, by, bz = add_galaxy(field.galactic, field.regular, x, y, z, bx, by, bz)
    return bx, by, bz


@njit
def field_at_points(field, points, out):
    """Fill out (n, 3) uG with the field at points (n, 3) pc."""
    for i in range(points.shape[0]):
        out[i, 0], out[i, 1], out[i, 2] = field_at(field, points[i, 0], points[i, 1], points[i, 2])
