"""Asking the processor for a cache line before it is needed: rows of a large table in any order cost little else."""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic


@intrinsic
def prefetch(context, array, row, column):  # type: ignore[no-untyped-def]
    """Start loading the cache line of array[row, column] (C-ordered, no bounds check); changes no result."""

    def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = signature.args[0]
        numbers = zip(arguments[1:], signature.args[1:], strict=True)
        place = [target.cast(builder, number, given, types.intp) for number, given in numbers]
        view = target.make_array(kind)(target, builder, arguments[0])
        address = cgutils.get_item_pointer(target, builder, kind, view, place[: kind.ndim], wraparound=False)
        byte, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        shape = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
        load = cgutils.get_or_insert_function(builder.module, shape, "llvm.prefetch.p0i8")
        to_read, keep, data = number(0), number(3), number(1)
        builder.call(load, [builder.bitcast(address, byte), to_read, keep, data])
        return target.get_dummy_value()

    return types.void(array, row, column), generate
