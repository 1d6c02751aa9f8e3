"""`--math bf16`: how far networks are off, held against PyTorch computing the same way and against PyTorch in float32."""

import pytest

pytest.importorskip("torch", reason="interop tests skipped: torch is not installed")

import etalon_program
import numpy
import torch
import zoo_data

# The factors that --math bf16 rounds; depthwise convolutions stay float32.
_PRODUCTS = (
    torch.ops.aten.conv2d.default,
    torch.ops.aten.linear.default,
    torch.ops.aten.matmul.default,
    torch.ops.aten.scaled_dot_product_attention.default,
)
# With drawn weights MobileNetV2's outputs hardly depend on its input: PyTorch's own bfloat16 factors give 32 dB.
_WANTED = {"mobilenet_v2": 30.0}
_USUAL = 40.0
_MODELS = ("mobilenet_v2", "mobilenet_v3_small", "efficientnet_b0", "resnet18", "resnet50", "vit_tiny")


class _Rounding(torch.fx.Interpreter):
    def call_function(self, target, args, kwargs):
        args = list(args)
        grouped = target is torch.ops.aten.conv2d.default and len(args) > 6 and args[6] != 1
        if target in _PRODUCTS and not grouped:
            count = 3 if target is _PRODUCTS[3] else 2
            args[:count] = [a.bfloat16().float() for a in args[:count]]
        return super().call_function(target, tuple(args), kwargs)


def _first(outputs):
    return (outputs if torch.is_tensor(outputs) else outputs[0]).numpy()


def _has_bf16():
    flags = open("/proc/cpuinfo").read()
    return "avx512_bf16" in flags


@pytest.mark.parametrize("name", _MODELS)
def test_bf16_is_as_close_as_rounding_the_factors_of_products_in_pytorch(name, tmp_path):
    module = torch.export.load(zoo_data.fill(name, tmp_path / "full.pt2")).module()
    _, samples = zoo_data.data(name)
    numpy.save(tmp_path / "in.npy", samples[:1])
    with torch.no_grad():
        sample = torch.from_numpy(samples[:1])
        eager, rounded = _first(module(sample)), _first(_Rounding(module).run(sample))
    etalon_program.run("export", f"zoo:{name}", "-o", tmp_path / "model.pte")
    outputs = {
        math: etalon_program.call(
            tmp_path / "model.pte", [tmp_path / "in.npy"], tmp_path / math, "--math", math, engine="native"
        )[0]
        for math in ("exact", "bf16")
    }
    assert zoo_data.snr(eager, outputs["exact"]) > 90
    ours, theirs = zoo_data.snr(eager, outputs["bf16"]), zoo_data.snr(eager, rounded)
    assert ours >= _WANTED.get(name, _USUAL), f"{ours:.1f} dB, PyTorch {theirs:.1f}"
    # Weights are rounded after batch norm is folded into them; three dB are what other roundings make.
    assert ours >= theirs - 3, f"{ours:.1f} dB, PyTorch {theirs:.1f}"
    if _has_bf16():
        assert ours < 80, "nothing was rounded"


def test_a_bfloat16_model_runs_outside_of_delegates_and_says_why(tmp_path):
    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.head = torch.nn.Conv2d(3, 8, 3, padding=1), torch.nn.Linear(8, 10)

        def forward(self, x):
            return self.head(torch.relu(self.conv(x)).mean((2, 3)))

    torch.manual_seed(0)
    net, x = Net().eval().to(torch.bfloat16), torch.randn(1, 3, 16, 16).to(torch.bfloat16)
    torch.export.save(torch.export.export(net, (x,)), tmp_path / "net.pt2")
    told = etalon_program.run("export", tmp_path / "net.pt2", "--explain", "-o", tmp_path / "net.pte")
    assert "is bfloat16, want float32 or float16" in told
    x.view(torch.int16).numpy().tofile(tmp_path / "in.bin")
    with torch.no_grad():
        wanted = net(x).float().numpy()
    for engine in ("native", "portable"):
        (got,) = etalon_program.call(tmp_path / "net.pte", [tmp_path / "in.bin"], tmp_path / engine, engine=engine)
        assert numpy.abs(got - wanted).max() <= 2**-8 * numpy.abs(wanted).max(), engine
    from executorch.runtime import Runtime

    real = Runtime.get().load_program(str(tmp_path / "net.pte")).load_method("forward").execute([x])[0]
    assert numpy.abs(real.float().numpy() - wanted).max() <= 2**-7 * numpy.abs(wanted).max()


def test_bfloat16_files_are_refused_by_name(tmp_path):
    told = etalon_program.fail("export", "zoo:toy_cnn", "--dtype", "bf16", "-o", tmp_path / "x.pte")
    assert "dtype 'bf16' is not available" in told and "--math bf16" in told
