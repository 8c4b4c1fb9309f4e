"""How the nodes of a level lie in memory: two layouts, three precisions.

A node holds four numbers: the three components of the field and one unused, which makes it a
piece of a vector register. In the layout "nodes" each node is stored once, and repeated planes
close the period: one after the last on each axis, for cubic interpolation also one before the
first and a second after the last. A cell is four rows of two neighbouring nodes, or 16 of four.
In the layout "cells" the eight corners of each cell lie together, in half precision one cache
line of 64 bytes: a step into a new cell waits for memory once, for eight times the memory. Both
give the same bits.

A level's number of dimensions names layout and interpolation, which kernels so know when they
are compiled; this is what the axes of length 1 are for.

Planes of nodes are filled one after the other; a cell is written once, whole, when both its
planes are there, past the caches, since nobody reads it before the level is finished.
"""

import math

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from hpc_cr.kernel import njit

STORED = {"half": np.dtype(np.uint16), "single": np.dtype(np.float32),
          "double": np.dtype(np.float64)}
"""Type of a grid's elements by `grids.precision`: numba has no arrays of half precision, so that
their bits are kept as whole numbers (see `numbers`)."""

COMPUTED = {"half": np.dtype(np.float32), "single": np.dtype(np.float32),
            "double": np.dtype(np.float64)}
"""Type of the numbers that are transformed."""

LINE = 64
"""Bytes of a cache line, to which grids are aligned."""


LINEAR_NODES, CATMULL_ROM, B_SPLINE, LINEAR_CELLS = 4, 5, 6, 7
"""Dimensions of a level."""

PADDING = (0, 0, 0, 0, 1, 3, 3, 0)
"""Repeated planes on each axis, by dimensions."""

CUBIC = {"catmull-rom": CATMULL_ROM, "b-spline": B_SPLINE}


def level_shape(cells, layout, interpolation="trilinear"):
    """Shape of one level's part of a grid.

    Parameters
    ----------
    cells : int
        Cells N along an axis.
    layout : {"cells", "nodes"}
    interpolation : {"trilinear", "catmull-rom", "b-spline"}
        The cubic ones have the layout "nodes" alone.

    Returns
    -------
    tuple of int
        (N, N, N, 2, 2, 2, 4): a cell's corners at +0 and +1 along x, y, z; or (N+1, N+1, N+1, 4),
        (N+3, N+3, N+3, 1, 4), (N+3, N+3, N+3, 1, 1, 4): nodes.
    """
    if layout == "cells":
        if interpolation != "trilinear":
            raise ValueError(f'{interpolation} interpolation has the layout "nodes" alone')
        return (cells, cells, cells, 2, 2, 2, 4)
    ndim = CUBIC.get(interpolation, LINEAR_NODES)
    nodes = cells + PADDING[ndim]
    return (nodes, nodes, nodes, *[1] * (ndim - LINEAR_NODES), 4)


def plain_nodes(grid):
    """The nodes of a level in the layout "nodes" as (n, n, n, 4), a view."""
    return grid.reshape(*grid.shape[:3], 4)


def numbers(grid):
    """The floating-point numbers of a grid (ndarray of the same shape, a view), uG."""
    return grid.view(np.float16) if grid.dtype == np.uint16 else grid


def node_values(grid):
    """Field at the nodes.

    Parameters
    ----------
    grid : ndarray (n_level, ...) in either layout

    Returns
    -------
    ndarray (n_level, cells, cells, cells, 3)
        uG, Galactic axes; a view, repeated planes left out.
    """
    values = numbers(grid)
    if values.ndim == 1 + LINEAR_CELLS:
        return values[:, :, :, :, 0, 0, 0, :3]
    padding = PADDING[values.ndim - 1]
    inside = slice(padding // 2, values.shape[1] - (padding + 1) // 2)
    return values.reshape(*values.shape[:4], 4)[:, inside, inside, inside, :3]


def aligned_empty(shape, dtype):
    """Array that begins on a cache line, not initialised.

    numpy asks the system for huge pages for large arrays: fewer misses in the page table.
    """
    dtype = np.dtype(dtype)
    size = math.prod(shape) * dtype.itemsize
    memory = np.empty(size + LINE, np.uint8)
    start = -memory.ctypes.data % LINE
    return memory[start:start + size].view(dtype).reshape(shape)


@intrinsic
def _stored(typingctx, plane, value):
    """A number as an element of `plane`: rounded to half precision, as bits, if need be."""
    def codegen(context, builder, signature, args):
        if signature.return_type != types.uint16:
            return args[1]
        return builder.bitcast(builder.fptrunc(args[1], ir.HalfType()), ir.IntType(16))

    result = types.uint16 if plane.dtype == types.uint16 else value
    return result(plane, value), codegen


@njit(nogil=True)
def interleave(plane, real):
    """Fill a plane of nodes (N+p, N+p, 4) from its components (3, N, N), the period closed.

    Of the p repeated rows and columns p // 2 come before the first.
    """
    cells, nodes = real.shape[1], plane.shape[0]
    before = (nodes - cells) // 2
    zero = plane.dtype.type(0)
    for y in range(cells):
        row = plane[y + before]
        for z in range(cells):
            row[z + before, 0] = _stored(plane, real[0, y, z])
            row[z + before, 1] = _stored(plane, real[1, y, z])
            row[z + before, 2] = _stored(plane, real[2, y, z])
            row[z + before, 3] = zero
        for z in range(before):
            row[z] = row[z + cells]
        for z in range(before + cells, nodes):
            row[z] = row[z - cells]
    for y in range(before):
        plane[y] = plane[y + cells]
    for y in range(before + cells, nodes):
        plane[y] = plane[y - cells]


@intrinsic
def _write_cell(typingctx, grid, start, near, first, second, far):
    """Write the 32 numbers of the cell at element `start` of `grid`, aligned to LINE bytes.

    first, second: elements of the planes `near` and `far` at which the cell's two rows of two
    neighbouring nodes begin.
    """
    def codegen(context, builder, signature, args):
        grid, start, near, first, second, far = args
        array_type = signature.args[0]
        bits = ir.IntType(array_type.dtype.bitwidth)
        index = ir.IntType(32)

        def at(array, number, element, count):
            struct = cgutils.create_struct_proxy(signature.args[number])(
                context, builder, value=array)
            vector = ir.VectorType(bits, count)
            return builder.bitcast(builder.gep(struct.data, [element]), vector.as_pointer())

        def row(array, number, element):
            value = builder.load(at(array, number, element, 8))
            value.align = bits.width // 8
            return value

        def join(low, high):
            count = 2 * low.type.count
            mask = ir.Constant(ir.VectorType(index, count), list(range(count)))
            return builder.shuffle_vector(low, high, mask)

        cell = join(join(row(near, 2, first), row(near, 2, second)),
                    join(row(far, 5, first), row(far, 5, second)))
        written = builder.store(cell, at(grid, 0, start, 32))
        written.align = LINE
        written.set_metadata("nontemporal", builder.module.add_metadata([index(1)]))
        return context.get_dummy_value()

    return types.void(grid, types.int64, near, types.int64, types.int64, far), codegen


@intrinsic
def _written(typingctx):
    """Writes past the caches are ordered before all that follows."""
    def codegen(context, builder, signature, args):
        builder.fence("seq_cst")
        return context.get_dummy_value()

    return types.void(), codegen


@njit(nogil=True)
def write_cells(grid, x, near, far):
    """Write the cells between two planes of nodes.

    Parameters
    ----------
    grid : ndarray (N, N, N, 2, 2, 2, 4)
        One level, aligned to LINE bytes; grid[x] is written.
    x : int
    near, far : ndarray (N+1, N+1, 4)
        Planes x and x + 1.
    """
    cells = grid.shape[0]
    row = 4 * (cells + 1)
    start = x * cells * cells * 32
    for y in range(cells):
        for z in range(cells):
            _write_cell(grid, start, near, y * row + 4 * z, (y + 1) * row + 4 * z, far)
            start += 32
    _written()
