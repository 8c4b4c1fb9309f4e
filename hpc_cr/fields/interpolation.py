"""The magnetic field at a point, for kernels: grids by trilinear interpolation, plane waves.

A level stores four interleaved numbers per node (three components and one unused) and one
repeated plane per axis, so that the two nodes of a cell's edge along z are eight neighbouring
numbers: a cell is four vector loads and seven fused linear interpolations.
"""

from typing import NamedTuple

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from hpc_cr.kernel import njit


class FieldArrays(NamedTuple):
    """All that a kernel needs to evaluate B(x) = regular + sum of levels + sum of waves."""

    regular: np.ndarray  # (3,) uG, Galactic Cartesian
    grid: np.ndarray  # (n_level, cells+1, cells+1, cells+1, 4) uG in each level's own axes
    rotation: np.ndarray  # (n_level, 3, 3) Q: the level's axes as rows in Galactic Cartesian
    to_cells: np.ndarray  # (n_level, 3, 4): cell coordinates = to_cells[:, :3] x + to_cells[:, 3]
    wave_vector: np.ndarray  # (n_wave, 3) 1/pc
    wave_cos: np.ndarray  # (n_wave, 3) uG, multiplies cos(k.x)
    wave_sin: np.ndarray  # (n_wave, 3) uG, multiplies sin(k.x)


@intrinsic
def _cell_lerp(typingctx, grid, start, stride_x, stride_y, fx, fy, fz):
    """Trilinear interpolation of the three components inside the cell that begins at `start`.

    start, stride_x, stride_y in elements of `grid`, fx, fy, fz in [0, 1] within the cell.
    """
    if not isinstance(grid, types.Array):
        return None
    signature = types.UniTuple(types.float64, 3)(
        grid, types.int64, types.int64, types.int64, types.float64, types.float64, types.float64
    )

    def codegen(context, builder, signature, args):
        array_type = signature.args[0]
        array, start, stride_x, stride_y, fx, fy, fz = args
        base = cgutils.create_struct_proxy(array_type)(context, builder, value=array).data
        single = array_type.dtype == types.float32
        scalar = ir.FloatType() if single else ir.DoubleType()
        pair, four = ir.VectorType(scalar, 8), ir.VectorType(scalar, 4)
        index = ir.IntType(32)

        def load(offset):
            pointer = builder.bitcast(builder.gep(base, [offset]), pair.as_pointer())
            value = builder.load(pointer)
            value.align = 4 if single else 8
            return value

        def spread(fraction, vector):
            if single:
                fraction = builder.fptrunc(fraction, scalar)
            lane = builder.insert_element(ir.Constant(vector, ir.Undefined), fraction, index(0))
            mask = ir.Constant(ir.VectorType(index, vector.count), [0] * vector.count)
            return builder.shuffle_vector(lane, ir.Constant(vector, ir.Undefined), mask)

        def lerp(low, high, fraction):
            return builder.fadd(low, builder.fmul(fraction, builder.fsub(high, low)))

        second = builder.add(start, stride_x)
        along_x = spread(fx, pair)
        low = lerp(load(start), load(second), along_x)
        high = lerp(load(builder.add(start, stride_y)), load(builder.add(second, stride_y)),
                    along_x)
        edge = lerp(low, high, spread(fy, pair))
        half = ir.VectorType(index, 4)
        undefined = ir.Constant(pair, ir.Undefined)
        near = builder.shuffle_vector(edge, undefined, ir.Constant(half, [0, 1, 2, 3]))
        far = builder.shuffle_vector(edge, undefined, ir.Constant(half, [4, 5, 6, 7]))
        result = lerp(near, far, spread(fz, four))
        components = []
        for lane in range(3):
            value = builder.extract_element(result, index(lane))
            components.append(builder.fpext(value, ir.DoubleType()) if single else value)
        return context.make_tuple(builder, signature.return_type, components)

    return signature, codegen


LANES = 8
"""Points evaluated together by `field_at_lanes`: their waits for memory overlap."""


@njit(inline="always")
def _cell(coordinate, cells):
    """Cell number in [0, cells) (a float) and position in the cell of a coordinate in cells."""
    whole = np.floor(coordinate)
    number = whole - cells * np.floor(whole / cells)
    # the quotient may round across a whole number
    if number < 0.0:
        number += cells
    elif number >= cells:
        number -= cells
    return number, coordinate - whole


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
def field_at_lanes(field, x, b, work, start):
    """Magnetic field at LANES points; each lane is computed as if it were alone.

    Parameters
    ----------
    field : FieldArrays
    x : ndarray (3, LANES)
        Points in pc, Galactic Cartesian.
    b : ndarray (3, LANES)
        Filled with the field in uG.
    work, start : ndarray (3, LANES) of float64, ndarray (LANES,) of int64
        Work space.
    """
    for w in range(LANES):
        b[0, w], b[1, w], b[2, w] = field.regular[0], field.regular[1], field.regular[2]
    q, a = field.rotation, field.to_cells
    nodes = field.grid.shape[1]
    cells = float(nodes - 1)
    stride_y = nodes * 4
    stride_x = nodes * stride_y
    for n in range(field.grid.shape[0]):
        # numbers of the level in registers: the compiler cannot know that the arrays differ
        a00, a01, a02, a03 = a[n, 0, 0], a[n, 0, 1], a[n, 0, 2], a[n, 0, 3]
        a10, a11, a12, a13 = a[n, 1, 0], a[n, 1, 1], a[n, 1, 2], a[n, 1, 3]
        a20, a21, a22, a23 = a[n, 2, 0], a[n, 2, 1], a[n, 2, 2], a[n, 2, 3]
        for w in range(LANES):
            px, py, pz = x[0, w], x[1, w], x[2, w]
            ix, work[0, w] = _cell(a00 * px + a01 * py + a02 * pz + a03, cells)
            iy, work[1, w] = _cell(a10 * px + a11 * py + a12 * pz + a13, cells)
            iz, work[2, w] = _cell(a20 * px + a21 * py + a22 * pz + a23, cells)
            # exact in float64: grids have far fewer than 2^53 elements
            start[w] = int(ix * float(stride_x) + iy * float(stride_y) + iz * 4.0)
        for w in range(LANES):
            work[0, w], work[1, w], work[2, w] = _cell_lerp(
                field.grid, n * nodes * stride_x + start[w], stride_x, stride_y,
                work[0, w], work[1, w], work[2, w]
            )
        q00, q01, q02 = q[n, 0, 0], q[n, 0, 1], q[n, 0, 2]
        q10, q11, q12 = q[n, 1, 0], q[n, 1, 1], q[n, 1, 2]
        q20, q21, q22 = q[n, 2, 0], q[n, 2, 1], q[n, 2, 2]
        for w in range(LANES):
            # back from the level's axes: B = Q^T b
            cx, cy, cz = work[0, w], work[1, w], work[2, w]
            b[0, w] += q00 * cx + q10 * cy + q20 * cz
            b[1, w] += q01 * cx + q11 * cy + q21 * cz
            b[2, w] += q02 * cx + q12 * cy + q22 * cz
    if field.wave_vector.shape[0] > 0:
        for w in range(LANES):
            b[0, w], b[1, w], b[2, w] = _add_waves(field, x[0, w], x[1, w], x[2, w],
                                                   b[0, w], b[1, w], b[2, w])


@njit
def field_at(field, x, y, z):
    """Magnetic field (bx, by, bz) in uG at a point in pc, Galactic Cartesian."""
    bx, by, bz = field.regular[0], field.regular[1], field.regular[2]
    q, a = field.rotation, field.to_cells
    nodes = field.grid.shape[1]
    cells = float(nodes - 1)
    stride_y = nodes * 4
    stride_x = nodes * stride_y
    for n in range(field.grid.shape[0]):
        ix, fx = _cell(a[n, 0, 0] * x + a[n, 0, 1] * y + a[n, 0, 2] * z + a[n, 0, 3], cells)
        iy, fy = _cell(a[n, 1, 0] * x + a[n, 1, 1] * y + a[n, 1, 2] * z + a[n, 1, 3], cells)
        iz, fz = _cell(a[n, 2, 0] * x + a[n, 2, 1] * y + a[n, 2, 2] * z + a[n, 2, 3], cells)
        start = (n * nodes + int(ix)) * stride_x + int(iy) * stride_y + int(iz) * 4
        cx, cy, cz = _cell_lerp(field.grid, start, stride_x, stride_y, fx, fy, fz)
        bx += q[n, 0, 0] * cx + q[n, 1, 0] * cy + q[n, 2, 0] * cz
        by += q[n, 0, 1] * cx + q[n, 1, 1] * cy + q[n, 2, 1] * cz
        bz += q[n, 0, 2] * cx + q[n, 1, 2] * cy + q[n, 2, 2] * cz
    return _add_waves(field, x, y, z, bx, by, bz)


@njit
def field_at_points(field, points, out):
    """Fill out (n, 3) uG with the field at points (n, 3) pc."""
    for i in range(points.shape[0]):
        out[i, 0], out[i, 1], out[i, 2] = field_at(field, points[i, 0], points[i, 1], points[i, 2])
