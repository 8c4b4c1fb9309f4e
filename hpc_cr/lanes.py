"""Lanes: eight double-precision numbers in one vector register, for numba kernels.

A kernel that is written with `Lanes` reads like one for a single particle and moves eight: the
operators + - * / and the functions below work on each number as if it were alone, so a result
does not depend on what the other lanes hold. Compilers do not find this by themselves, because
they cannot know that the arrays of a kernel do not overlap. Products and sums may be fused.
"""

import operator

from llvmlite import ir
from numba.core import cgutils, types
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, models, register_model

WIDTH = 8
"""Numbers per register: one of 512 bits, or what the machine has instead."""

VECTOR = ir.VectorType(ir.DoubleType(), WIDTH)
INDEX = ir.IntType(32)
FUSED = ("contract",)


class LanesType(types.Type):
    """Type of `Lanes` values in kernels; they have no Python counterpart."""

    def __init__(self):
        super().__init__(name="Lanes")


LANES = LanesType()


@register_model(LanesType)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager, kind):
        super().__init__(manager, kind, VECTOR)


def spread_value(builder, value, vector):
    """LLVM vector with `value` in every element."""
    undefined = ir.Constant(vector, ir.Undefined)
    first = builder.insert_element(undefined, value, INDEX(0))
    zeros = ir.Constant(ir.VectorType(INDEX, vector.count), [0] * vector.count)
    return builder.shuffle_vector(first, undefined, zeros)


def _operator(python_operator, instruction):
    @infer_global(python_operator)
    class _Operator(AbstractTemplate):
        def generic(self, args, keywords):
            if len(args) != 2 or LANES not in args:
                return None
            if not all(kind == LANES or isinstance(kind, types.Number) for kind in args):
                return None
            return signature(LANES, *(LANES if a == LANES else types.float64 for a in args))

    def lower(context, builder, kinds, args):
        both = [value if kind == LANES else spread_value(builder, value, VECTOR)
                for kind, value in zip(kinds.args, args, strict=True)]
        return getattr(builder, instruction)(*both, flags=FUSED)

    for kinds in ((LANES, LANES), (LANES, types.float64), (types.float64, LANES)):
        lower_builtin(python_operator, *kinds)(lower)


_operator(operator.add, "fadd")
_operator(operator.sub, "fsub")
_operator(operator.mul, "fmul")
_operator(operator.truediv, "fdiv")


def _row_pointer(context, builder, array_type, array, row):
    base = cgutils.create_struct_proxy(array_type)(context, builder, value=array).data
    offset = builder.mul(row, row.type(WIDTH))
    return builder.bitcast(builder.gep(base, [offset]), VECTOR.as_pointer())


@intrinsic
def load(typingctx, array, row):
    """Row `row` of a C-contiguous float64 array whose last axis is WIDTH, as Lanes."""
    def codegen(context, builder, kinds, args):
        value = builder.load(_row_pointer(context, builder, kinds.args[0], *args))
        value.align = 8
        return value

    return LANES(array, types.int64), codegen


@intrinsic
def store(typingctx, array, row, value):
    """Write Lanes into row `row` of a C-contiguous float64 array whose last axis is WIDTH."""
    def codegen(context, builder, kinds, args):
        pointer = _row_pointer(context, builder, kinds.args[0], *args[:2])
        builder.store(args[2], pointer).align = 8
        return context.get_dummy_value()

    return types.void(array, types.int64, LANES), codegen


@intrinsic
def spread(typingctx, number):
    """Lanes that all hold the same number."""
    def codegen(context, builder, kinds, args):
        return spread_value(builder, args[0], VECTOR)

    return LANES(types.float64), codegen


@intrinsic
def floor(typingctx, value):
    """Largest whole numbers that are not above."""
    def codegen(context, builder, kinds, args):
        name = f"llvm.floor.v{WIDTH}f64"
        function = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(VECTOR, [VECTOR]), name)
        return builder.call(function, args)

    return LANES(LANES), codegen


@intrinsic
def at_most(typingctx, value, limit):
    """The smaller of each number and `limit` (a float); not-a-number becomes `limit`."""
    def codegen(context, builder, kinds, args):
        limit = spread_value(builder, args[1], VECTOR)
        return builder.select(builder.fcmp_ordered("<", args[0], limit), args[0], limit)

    return LANES(LANES, types.float64), codegen


@intrinsic
def any_reaches(typingctx, value, limit):
    """Whether any number is as large as the one in the same lane of `limit`."""
    def codegen(context, builder, kinds, args):
        reached = builder.fcmp_ordered(">=", *args)
        bits = builder.bitcast(reached, ir.IntType(WIDTH))
        return builder.icmp_unsigned("!=", bits, bits.type(0))

    return types.boolean(LANES, LANES), codegen
