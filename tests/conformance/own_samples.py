"""Operator calls written by hand, for operators that PyTorch's samples do not reach."""

import itertools
import math
import operator

import torch

from samples import CapturedCall, captured, snapshot, values_of


def _t(*sizes, dtype=torch.float32):
    return (
        torch.randn(*sizes).to(dtype) if dtype.is_floating_point else torch.randint(-5, 6, sizes, dtype=dtype)
    )


def _quantized_calls():
    import torch.ao.quantization.fx._decomposed  # noqa: F401: defines the operators

    q, i8, u8 = torch.ops.quantized_decomposed, torch.int8, torch.uint8
    x = _t(3, 4, 5)
    scales, zeros = torch.tensor([0.1, 0.02, 0.5, 0.3]), torch.tensor([0, 3, -2, 7])
    for dtype, low, high in (
        (i8, -128, 127),
        (u8, 0, 255),
        (torch.int16, -32768, 32767),
        (torch.int32, -1000, 1000),
    ):
        yield q.quantize_per_tensor.default, (x, 0.03, 2, low, high, dtype)
        yield q.quantize_per_tensor.tensor, (x, torch.tensor(0.03), torch.tensor(2), low, high, dtype)
        quantized = torch.randint(max(low, -100), min(high, 100), (3, 4, 5)).to(dtype)
        yield q.dequantize_per_tensor.default, (quantized, 0.03, 2, low, high, dtype)
        yield (
            q.dequantize_per_tensor.tensor,
            (quantized, torch.tensor(0.03), torch.tensor(2), low, high, dtype),
        )
    for axis, shape in ((1, (3, 4, 5)), (0, (4, 5)), (-1, (2, 4))):
        values = _t(*shape)
        yield q.quantize_per_channel.default, (values, scales, zeros, axis, -128, 127, i8)
        quantized = torch.randint(-100, 100, shape).to(i8)
        yield q.dequantize_per_channel.default, (quantized, scales, zeros, axis, -128, 127, i8)
    yield q.choose_qparams.tensor, (x, -128, 127, 1e-7, i8)
    yield q.choose_qparams.tensor, (x.abs(), 0, 255, 1e-7, u8)
    tokens = _t(2, 6, 8)
    yield q.choose_qparams_per_token_asymmetric.default, (tokens, i8)
    scale, zero = q.choose_qparams_per_token_asymmetric(tokens, i8)
    yield q.quantize_per_token.default, (tokens, scale, zero, -128, 127, i8)
    quantized = q.quantize_per_token(tokens, scale, zero, -128, 127, i8)
    yield q.dequantize_per_token.default, (quantized, scale, zero, -128, 127, i8, torch.float32)


def _network_calls():
    aten, image = torch.ops.aten, _t(2, 4, 6, 7)
    last = image.to(memory_format=torch.channels_last)
    channel = [_t(4), _t(4), _t(4), _t(4).abs() + 0.5]
    for x in (image, last, image.double()):
        statistics = [c.to(x.dtype) for c in channel]
        yield aten._native_batch_norm_legit_no_training.default, (x, *statistics, 0.1, 1e-5)
        yield aten._native_batch_norm_legit_no_training.default, (x, None, None, *statistics[2:], 0.1, 1e-3)
        yield aten._native_batch_norm_legit.no_stats, (x, statistics[0], statistics[1], True, 0.1, 1e-5)
        yield aten.upsample_bilinear2d.vec, (x, [9, 5], False, None)
        yield aten.upsample_bilinear2d.vec, (x, None, True, [2.0, 1.5])
        yield aten.upsample_nearest2d.vec, (x, [9, 5], None)
        yield aten.upsample_nearest2d.vec, (x, None, [2.0, 0.5])
        yield aten.pixel_unshuffle.default, (x[:, :, :, :6], 2)
        yield (
            aten.convolution.default,
            (x, _t(6, 2, 3, 3).to(x.dtype), None, [1, 2], [1, 0], [1, 1], False, [0, 0], 2),
        )
        yield (
            aten.convolution.default,
            (x, _t(4, 3, 2, 3).to(x.dtype), _t(6).to(x.dtype), [2, 1], [0, 1], [1, 2], True, [1, 0], 2),
        )
        yield aten.linear.default, (x, _t(3, 7).to(x.dtype), _t(3).to(x.dtype))
        yield aten.relu.default, (x,)
        yield aten.glu.default, (x, 1)
        yield aten.logit.default, (x.sigmoid(), None)
    yield aten.convolution.default, (_t(1, 3, 11), _t(5, 3, 4), _t(5), [2], [1], [2], False, [0], 1)


def _backward_calls():
    cases = [
        ((2, 3, 7, 6), (4, 3, 3, 2), [1, 1], [1, 0], [1, 1], False, [0, 0], 1),
        ((1, 4, 8, 7), (6, 2, 3, 3), [2, 1], [1, 2], [1, 2], False, [0, 0], 2),
        ((2, 3, 6, 6), (6, 1, 2, 3), [2, 2], [0, 1], [2, 1], False, [0, 0], 3),
        ((1, 4, 3, 4), (4, 3, 3, 2), [2, 3], [1, 0], [1, 1], True, [1, 2], 2),
        ((2, 2, 9), (3, 2, 3), [2], [1], [2], False, [0], 1),
    ]
    for input_sizes, weight_sizes, *rest in cases:
        x, w = _t(*input_sizes), _t(*weight_sizes)
        out = torch.ops.aten.convolution(x, w, None, *rest)
        yield (
            torch.ops.aten.convolution_backward.default,
            (_t(*out.shape), x, w, [out.shape[1]], *rest, [True, True, True]),
        )


def _embedding_calls():
    try:
        import executorch.exir.passes._quant_patterns_and_replacements  # noqa: F401: defines the operators
    except ImportError:
        return
    q, indices = torch.ops.quantized_decomposed, torch.tensor([[4, 0, 2], [1, 1, 3]])
    ranges = {"byte": (torch.int8, -128, 127), "4bit": (torch.uint8, -8, 7), "2bit": (torch.uint8, -2, 1)}
    for (bits, (dtype, low, high)), groups in itertools.product(ranges.items(), (None, 1, 2)):
        limits = torch.iinfo(dtype)
        weight = torch.randint(limits.min, limits.max + 1, (5, 8)).to(dtype)
        sizes = (5,) if groups is None else (5, groups)
        scales, zeros = _t(*sizes).abs() + 0.1, torch.randint(-2, 2, sizes).float()
        function = getattr(q, f"embedding_{bits}")
        for zero_points in (zeros, None):
            yield function.default, (weight, scales, zero_points, low, high, indices)
            yield (
                function.dtype,
                (weight, scales, zero_points, low, high, indices),
                {"dtype": torch.float16},
            )


def _basic_calls():
    aten, x = torch.ops.aten, _t(3, 4)
    yield aten.sym_size.int, (x, 1)
    yield aten.sym_numel.default, (x,)
    for value in (torch.tensor(3), torch.tensor(2.5), torch.tensor(True)):
        yield aten._local_scalar_dense.default, (value,)
    for other in (2, 2.5, True):
        yield aten.add.Scalar, (x, other, 2)
        yield aten.sub.Scalar, (_t(3, dtype=torch.int64), other, 1) if other is not True else (x, 3, 1)
        yield aten.rsub.Scalar, (x, other, 1) if other is not True else (x, 3, 2)
        yield aten.mul.Scalar, (_t(3, dtype=torch.int64), other)
        yield aten.div.Scalar, (x, other)
        yield aten.pow.Scalar, (other, x)
    yield aten.div.Scalar_mode, (x, 0.3), {"rounding_mode": "floor"}
    yield aten.floor_divide.default, (x, _t(3, 4))
    yield aten.copy.default, (x, _t(4)), {}
    yield aten.fill.Scalar, (x, 3.5)
    yield aten.fill.Tensor, (x, torch.tensor(2))
    yield aten.full_like.default, (x, 2), {"dtype": torch.int64}
    yield aten.scalar_tensor.default, (2.5,), {"dtype": torch.float32}
    yield aten.lift_fresh_copy.default, (x,)
    yield aten.detach_copy.default, (x,)
    yield aten.t_copy.default, (x,)
    yield aten.narrow_copy.default, (x, 1, 1, 2)
    yield aten.unfold_copy.default, (x, 1, 3, 1)
    yield aten.diagonal_copy.default, (x, 1, 0, 1)
    yield aten.view_as_real_copy.default, (x,)
    yield aten.split_copy.Tensor, (x, 3, 1)
    yield aten.split_with_sizes_copy.default, (x, [1, 3], 1)
    yield aten.unbind_copy.int, (x, 1)
    yield aten.index_put.default, (x, [torch.tensor([0, 2]), None], _t(2, 4), True)
    yield aten.index_put_.default, (x.clone(), [torch.tensor([0, 2])], _t(4), False)
    yield aten.copy_.default, (x.clone(), _t(4))
    yield aten.native_dropout.default, (x, 0.5, False)
    yield aten.native_dropout.default, (x, 0.5, True)
    yield aten.rand.default, ([3, 5],)
    yield aten.randn.default, ([4],), {"dtype": torch.float64}
    yield aten.var.dim, (x, [1], False, True)
    yield aten.fmod.Scalar, (x, 0.7)
    yield aten.gt.Scalar, (x, 0.1)
    yield aten._conj_physical.default, (x,)
    integers = _t(3, 4, dtype=torch.int32)
    for name in ("bitwise_and", "bitwise_or", "bitwise_xor"):
        yield getattr(aten, name).Scalar, (integers, 5)
    yield aten.bitwise_left_shift.Tensor_Scalar, (integers, 2)
    yield aten.bitwise_right_shift.Tensor_Scalar, (integers, 1)


def _prim_calls():
    """(name, values, result): numbers at run time have no overload in torch, Python defines what they mean."""
    pairs = [(7, 2), (-7, 2), (7.5, -2.0), (3, 3), (2.5, 4)]
    two = {
        "add": operator.add,
        "sub": operator.sub,
        "mul": operator.mul,
        "floordiv": operator.floordiv,
        "truediv": operator.truediv,
        "eq": operator.eq,
        "ne": operator.ne,
        "lt": operator.lt,
        "le": operator.le,
        "gt": operator.gt,
        "ge": operator.ge,
        "sym_max": max,
        "sym_min": min,
    }
    for name, function in two.items():
        for a, b in pairs:
            yield f"executorch_prim::{name}.Scalar", (a, b), function(a, b)
    for a, b in ((7, 2), (-7, 2), (7, -3)):
        yield "executorch_prim::floordiv.int", (a, b), a // b
        yield "executorch_prim::mod.int", (a, b), a % b
        yield "executorch_prim::mod.Scalar", (a, b), a % b
    for value in (2.5, -2.5, 3.49, -0.51):
        yield "executorch_prim::ceil.Scalar", (value,), math.ceil(value)
        yield "executorch_prim::round.Scalar", (value,), round(value)
        yield "executorch_prim::trunc.Scalar", (value,), math.trunc(value)
        yield "executorch_prim::neg.Scalar", (value,), -value
        yield "executorch_prim::sym_int.Scalar", (value,), int(value)
    yield "executorch_prim::sym_float.Scalar", (3,), 3.0
    yield "executorch_prim::sym_not.Scalar", (True,), False
    yield "executorch_prim::sym_ite.Scalar", (True, 4, 5), 4
    yield "executorch_prim::sym_ite.Scalar", (False, 4, 5), 5


def _program_calls():
    """Operators that only ExecuTorch programs have."""
    x, image = _t(2, 3, 4), _t(2, 3, 4, 5)
    last = image.contiguous(memory_format=torch.channels_last)
    yield (
        "dim_order_ops::_to_dim_order_copy",
        (x, torch.float16, None, None, None, False, [0, 1, 2]),
        x.half(),
    )
    yield "dim_order_ops::_to_dim_order_copy", (image, None, None, None, None, False, [0, 2, 3, 1]), last
    yield "dim_order_ops::_clone_dim_order", (last, False, [0, 1, 2, 3]), image
    yield (
        "dim_order_ops::_empty_dim_order",
        ([2, 3], torch.int64, None, None, None, [0, 1]),
        torch.empty(2, 3, dtype=torch.int64),
    )
    yield "et_copy::_h2d_copy", (x,), x
    yield "et_copy::_d2h_copy", (x,), x
    yield "executorch_prim::et_view.default", (x, [6, -1]), x.view(6, -1)
    rows, row = torch.zeros(3, 3), _t(3)
    filled = rows.clone()
    filled[2] = row
    yield "executorch_prim::et_copy_index.tensor", (rows, row, 2), filled
    a, b = (torch.randint(-100, 100, (3, 4)).to(torch.int8) for _ in range(2))
    total = (a.float() - 3) * 0.1 + (b.float() + 2) * 0.05
    wanted = (total / 0.2).round().add(1).clamp(-128, 127).to(torch.int8)
    yield (
        "quantized_decomposed::add",
        (a, 0.1, 3, -128, 127, b, 0.05, -2, -128, 127, 0.2, 1, -128, 127),
        wanted,
    )


def _kind(value):
    return (
        "List[int]" if isinstance(value, list) else "Tensor" if isinstance(value, torch.Tensor) else "Scalar"
    )


def _run_overloads(wanted, sink):
    failed = {}
    for call in itertools.chain(
        _quantized_calls(), _embedding_calls(), _network_calls(), _backward_calls(), _basic_calls()
    ):
        overload, args, kwargs = (*call, {})[:3]
        if not wanted(overload):
            continue
        try:
            values = [snapshot(v) for v in values_of(overload, args, kwargs)]
            with torch.no_grad():
                sink(overload, captured(overload, values, overload(*args, **kwargs)))
        except Exception as error:
            failed[str(overload)] = f"{type(error).__name__}: {str(error)[:120]}"
    return failed


def run_own_samples(wanted, sink):
    """Calls of operators that PyTorch's samples do not reach; returns those that torch itself could not run."""
    torch.manual_seed(0)
    failed = _run_overloads(wanted, sink)
    for name, values, result in itertools.chain(_prim_calls(), _program_calls()):
        sink(name, CapturedCall(name, [_kind(v) for v in values], [snapshot(v) for v in values], result))
    return failed
