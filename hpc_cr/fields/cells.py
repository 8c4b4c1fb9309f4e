"""LLVM instructions that interpolate inside one cell of a grid, for a single point.

The grid's type decides at compile time: number of dimensions (see `hpc_cr.fields.layouts`) and
type of the numbers. Half precision is only a way to store: it is computed in single.
"""

from llvmlite import ir
from numba.core import cgutils, types

from hpc_cr.fields.layouts import B_SPLINE, CATMULL_ROM, LINE, LINEAR_CELLS, LINEAR_NODES
from hpc_cr.lanes import FUSED, INDEX, spread_value
from hpc_cr.transfer import WEIGHTS

_ELEMENTS = {types.uint16: ir.HalfType(), types.float32: ir.FloatType(),
             types.float64: ir.DoubleType()}


class _Cell:
    """A cell of a grid of a given type: subclasses say where its numbers lie, and what to do.

    The position in the cell enters through `factors`, per axis, and comes back to `interpolate`
    as a function factor(axis, number, count): one of the factors, spread over `count` numbers.
    """

    def __init__(self, context, builder, array_type, array, level):
        self.builder = builder
        struct = cgutils.create_struct_proxy(array_type)(context, builder, value=array)
        self.stored = _ELEMENTS[array_type.dtype]
        self.number = ir.DoubleType() if array_type.dtype == types.float64 else ir.FloatType()
        strides = cgutils.unpack_tuple(builder, struct.strides)
        self.bytes = builder.bitcast(struct.data, ir.IntType(8).as_pointer())
        self.bytes = builder.gep(self.bytes, [builder.mul(level, strides[0])])
        self.strides = strides[1:4]
        self.size = array_type.dtype.bitwidth // 8

    def prefetch(self, start):
        """Ask for the memory of the cell at byte `start`."""
        function = cgutils.get_or_insert_function(
            self.builder.module, ir.FunctionType(ir.VoidType(), [self.bytes.type, *[INDEX] * 3]),
            "llvm.prefetch.p0i8")
        for line in self.lines(start):
            # read, keep in all caches, data
            self.builder.call(function, [self.builder.gep(self.bytes, [line]), INDEX(0), INDEX(3),
                                         INDEX(1)])

    def _load(self, offset, count):
        builder = self.builder
        vector = ir.VectorType(self.stored, count)
        value = builder.load(builder.bitcast(builder.gep(self.bytes, [offset]),
                                             vector.as_pointer()))
        value.align = self.size
        if self.stored != self.number:
            value = builder.fpext(value, ir.VectorType(self.number, count))
        return value

    def _part(self, vector, first, count):
        mask = ir.Constant(ir.VectorType(INDEX, count), list(range(first, first + count)))
        return self.builder.shuffle_vector(vector, ir.Constant(vector.type, ir.Undefined), mask)

    def _scale_add(self, factor, value, to):
        builder = self.builder
        return builder.fadd(to, builder.fmul(factor, value, flags=FUSED), flags=FUSED)


class _LinearCell(_Cell):
    """Eight corners; the only factor of an axis is the position itself."""

    def factors(self, fraction):
        return [fraction]

    def _lerp(self, low, high, fraction):
        return self._scale_add(fraction, self.builder.fsub(high, low, flags=FUSED), low)


class _TogetherCell(_LinearCell):
    """Layout "cells"."""

    def lines(self, start):
        add = self.builder.add
        return [add(start, start.type(byte)) for byte in range(0, 32 * self.size, LINE)]

    def interpolate(self, start, factor):
        low, high = (self._load(self.builder.add(start, start.type(16 * self.size * i)), 16)
                     for i in range(2))
        face = self._lerp(low, high, factor(0, 0, 16))
        edge = self._lerp(self._part(face, 0, 8), self._part(face, 8, 8), factor(1, 0, 8))
        return self._lerp(self._part(edge, 0, 4), self._part(edge, 4, 4), factor(2, 0, 4))


class _RowsCell(_LinearCell):
    """Layout "nodes"."""

    def lines(self, start):
        add = self.builder.add
        x, y, _ = self.strides
        return [start, add(start, y), add(start, x), add(add(start, x), y)]

    def interpolate(self, start, factor):
        rows = [self._load(line, 8) for line in self.lines(start)]
        along_x = factor(0, 0, 8)
        edge = self._lerp(self._lerp(rows[0], rows[2], along_x),
                          self._lerp(rows[1], rows[3], along_x), factor(1, 0, 8))
        return self._lerp(self._part(edge, 0, 4), self._part(edge, 4, 4), factor(2, 0, 4))


class _CubicCell(_Cell):
    """The 64 nodes around a cell, 16 rows of four; the factors of an axis are their weights.

    `start` is the byte of the first node: that before the cell on each axis.
    """

    weights = None

    def lines(self, start):
        add, mul = self.builder.add, self.builder.mul
        x, y, _ = self.strides
        return [add(start, add(mul(x, x.type(i)), mul(y, y.type(j))))
                for i in range(4) for j in range(4)]

    def factors(self, fraction):
        kind = fraction.type

        def constant(value):
            if isinstance(kind, ir.VectorType):
                return spread_value(self.builder, ir.Constant(kind.element, value), kind)
            return ir.Constant(kind, value)

        found = []
        for coefficients in self.weights:
            value = constant(coefficients[-1])
            for coefficient in coefficients[-2::-1]:
                value = self._scale_add(value, fraction, constant(coefficient))
            found.append(value)
        return found

    def _sum(self, values, factors):
        total = self.builder.fmul(values[0], factors[0], flags=FUSED)
        for value, factor in zip(values[1:], factors[1:], strict=True):
            total = self._scale_add(value, factor, total)
        return total

    def interpolate(self, start, factor):
        rows = [self._load(line, 16) for line in self.lines(start)]
        along_x, along_y, along_z = ([factor(axis, i, count) for i in range(4)]
                                     for axis, count in ((0, 16), (1, 16), (2, 4)))
        row = self._sum([self._sum(rows[j::4], along_x) for j in range(4)], along_y)
        return self._sum([self._part(row, 4 * i, 4) for i in range(4)], along_z)


class _CatmullRomCell(_CubicCell):
    weights = WEIGHTS["catmull-rom"]


class _BSplineCell(_CubicCell):
    weights = WEIGHTS["b-spline"]


_KINDS = {LINEAR_CELLS: _TogetherCell, LINEAR_NODES: _RowsCell,
          CATMULL_ROM: _CatmullRomCell, B_SPLINE: _BSplineCell}


def cell_of(context, builder, array_type, array, level):
    """What writes the instructions for cells of a level of `array`, a value of `array_type`."""
    # the first dimension counts the levels
    return _KINDS[array_type.ndim - 1](context, builder, array_type, array, level)
