"""Quantisations that XNNPACK does not have: whatever becomes of them, results are PyTorch's.

Each case is a graph of explicit quantisation operators. They stay outside of delegates, or their weights become floats; what
must not happen is a silent wrong result.
"""

import pytest

pytest.importorskip("torch", reason="interop tests skipped: torch is not installed")

import numpy
import torch
import torch.ao.quantization.fx._decomposed  # noqa: F401 defines the operators
from torch import nn

import etalon_program

_OPS = torch.ops.quantized_decomposed


def _activation(x, scale=0.03, zero_point=0, low=-128, high=127, dtype=torch.int8):
    q = _OPS.quantize_per_tensor.default(x, scale, zero_point, low, high, dtype)
    return _OPS.dequantize_per_tensor.default(q, scale, zero_point, low, high, dtype)


class _Linear(nn.Module):
    """A linear layer between quantisations of `activation`, its weight quantised with these zero points."""

    def __init__(self, activation, zero_point=0, low=-127, high=127, axis=0, scale=0.01, bias=0.5):
        super().__init__()
        self.activation, self.limits, self.axis = activation, (low, high), axis
        generator = torch.Generator().manual_seed(0)
        self.register_buffer("weight", torch.randint(low, high + 1, (8, 8), generator=generator, dtype=torch.int8))
        self.register_buffer("scales", torch.linspace(1, 2, 8) * scale)
        self.register_buffer("zero_points", torch.full((8,), zero_point, dtype=torch.int64))
        self.register_buffer("bias", torch.linspace(-1, 1, 8) * bias)

    def forward(self, x):
        low, high = self.limits
        weight = _OPS.dequantize_per_channel.default(
            self.weight, self.scales, self.zero_points, self.axis, low, high, torch.int8
        )
        return self.activation(torch.relu(nn.functional.linear(self.activation(x), weight, self.bias)))


def _per_channel(x):
    scales, zero_points = torch.linspace(0.01, 0.05, 8), torch.zeros(8, dtype=torch.int64)
    q = _OPS.quantize_per_channel.default(x, scales, zero_points, 1, -128, 127, torch.int8)
    return _OPS.dequantize_per_channel.default(q, scales, zero_points, 1, -128, 127, torch.int8)


class _Disagreeing(nn.Module):
    """Written with one scale and read with another."""

    def forward(self, x):
        q = _OPS.quantize_per_tensor.default(x, 0.03, 0, -128, 127, torch.int8)
        return _OPS.dequantize_per_tensor.default(q, 0.06, 1, -128, 127, torch.int8) + 1.0


class _SharedInput(nn.Module):
    """The int8 tensor itself is an input, and one is returned."""

    def forward(self, q):
        x = _OPS.dequantize_per_tensor.default(q, 0.03, 2, -128, 127, torch.int8)
        return _OPS.quantize_per_tensor.default(torch.sigmoid(x) + x, 0.02, -5, -128, 127, torch.int8)


_CASES = {
    "symmetric": _Linear(_activation),
    "uint8": _Linear(lambda x: _activation(x, zero_point=128, low=0, high=255, dtype=torch.uint8)),
    "int16": _Linear(lambda x: _activation(x, scale=1e-4, low=-32768, high=32767, dtype=torch.int16)),
    "four_bits": _Linear(lambda x: _activation(x, scale=0.4, low=-8, high=7)),
    "four_bit_weights": _Linear(_activation, low=-8, high=7, scale=0.1),
    "restricted_range": _Linear(lambda x: _activation(x, low=-127)),
    "weights_with_zero_points": _Linear(_activation, zero_point=3),
    "scales_along_inputs": _Linear(_activation, axis=1),
    "activations_per_channel": _Linear(_per_channel),
    "tiny_scales": _Linear(_activation, scale=1e-9),
    "huge_scales": _Linear(lambda x: _activation(x, scale=1e-3), scale=300.0),
    "huge_bias": _Linear(_activation, scale=1e-7, bias=1e4),
    "disagreeing": _Disagreeing(),
    "int8_input_and_output": _SharedInput(),
}


# Its quantize_per_channel kernel aborts the process unless scales are float64, which PyTorch's refuses.
_ABORTS_IN_EXECUTORCH = ("activations_per_channel",)


@pytest.mark.parametrize("backend", ["xnnpack", "portable"])
@pytest.mark.parametrize("name", _CASES)
def test_results_are_pytorchs(name, backend, tmp_path):
    import executorch.kernels.quantized  # noqa: F401 the kernels of what is not delegated
    from real_runtime import RealProgram

    x = torch.randn(5, 8, generator=torch.Generator().manual_seed(1))
    if name == "int8_input_and_output":
        x = torch.randint(-128, 128, (5, 8), dtype=torch.int8)
    module = _CASES[name]
    with torch.no_grad():
        torch.export.save(torch.export.export(module, (x,)), tmp_path / "model.pt2")
        expected = module(x).numpy()
    pte = tmp_path / "model.pte"
    etalon_program.run("export", tmp_path / "model.pt2", "--backend", backend, "--verify", "-o", pte)
    numpy.save(tmp_path / "x.npy", x.numpy())
    engine = "native" if backend == "xnnpack" else "portable"
    ours = etalon_program.call(pte, [tmp_path / "x.npy"], tmp_path / "out", engine=engine)
    # One step of the output's quantisation where a sum ends near the border between two; exact where there is none.
    steps = {"int16": 1e-4, "four_bits": 0.4, "huge_scales": 1e-3, "disagreeing": 0.0, "activations_per_channel": 0.05}
    step = steps.get(name, 0.03)
    step = 1.0 if expected.dtype == numpy.int8 else step
    results = [("our engine", ours[0])]
    if name not in _ABORTS_IN_EXECUTORCH:
        results.append(("the real runtime", RealProgram(pte).call([x.numpy()])[0]))
    for what, actual in results:
        assert actual.dtype == expected.dtype
        worst = float(numpy.abs(actual.astype(numpy.float64) - expected).max())
        assert worst <= step * 1.001 + 1e-6, f"{what} is off by {worst:.3g}"


def _per_token(dtype, low, high):
    def quantised(x):
        scale, zero_point = _OPS.choose_qparams_per_token_asymmetric.default(x, dtype)
        q = _OPS.quantize_per_token.default(x, scale, zero_point, low, high, dtype)
        return _OPS.dequantize_per_token.default(q, scale, zero_point, low, high, dtype, torch.float32)

    return quantised


@pytest.mark.parametrize("dtype, low, high", [(torch.int8, -128, 127), (torch.uint8, 0, 255)], ids=["int8", "uint8"])
def test_activations_by_token_give_pytorchs_results(dtype, low, high, tmp_path):
    x = torch.randn(5, 8, generator=torch.Generator().manual_seed(1))
    quantised = _per_token(dtype, low, high)

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            torch.manual_seed(0)
            self.linear = nn.Linear(8, 8)

        def forward(self, x):
            return self.linear(quantised(x))

    module = Model()
    with torch.no_grad():
        torch.export.save(torch.export.export(module, (x,)), tmp_path / "model.pt2")
        expected = module(x).numpy()
    etalon_program.run("export", tmp_path / "model.pt2", "-o", tmp_path / "model.pte")
    numpy.save(tmp_path / "x.npy", x.numpy())
    actual = etalon_program.call(tmp_path / "model.pte", [tmp_path / "x.npy"], tmp_path / "out", engine="native")[0]
    # A code that lies between two may become the other one: a step of its token, times a weight.
    assert numpy.abs(actual - expected).max() < 0.02


class _Grouped(nn.Module):
    def __init__(self, low, high):
        super().__init__()
        self.limits = low, high
        generator = torch.Generator().manual_seed(0)
        self.register_buffer("weight", torch.randint(low, high + 1, (8, 32), generator=generator, dtype=torch.int8))
        self.register_buffer("scales", torch.rand(8, 2, generator=generator))
        self.register_buffer("zero_points", torch.zeros(8, 2, dtype=torch.int64))

    def forward(self, x):
        weight = _OPS.dequantize_per_channel_group.default(
            self.weight, self.scales, self.zero_points, *self.limits, torch.int8, 16, torch.float32
        )
        return nn.functional.linear(x, weight)


@pytest.mark.parametrize("limits", [(-8, 7), (-128, 127)], ids=["four_bits", "eight_bits"])
@pytest.mark.parametrize("dtype", ["fp32", "int8"])
def test_weights_in_groups_are_refused_with_what_to_do(dtype, limits, tmp_path):
    torch.export.save(torch.export.export(_Grouped(*limits), (torch.ones(4, 32),)), tmp_path / "model.pt2")
    failed = etalon_program.fail(
        "export", tmp_path / "model.pt2", "--dtype", dtype, "--quant", "dynamic", "-o", tmp_path / "model.pte"
    )
    assert "dequantize_per_channel_group" in failed and "8 bits, per channel or per tensor" in failed
    assert not (tmp_path / "model.pte").exists()
