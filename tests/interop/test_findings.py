"""Planted defects, end to end: exported, profiled on this machine, and found by the rule that is for them."""

import pytest

torch = pytest.importorskip("torch", reason="interop tests skipped: torch is not installed")

import etalon_program
from torch import nn
from torch.nn import functional as F


def _conv(inputs, outputs, **options):
    return nn.Conv2d(inputs, outputs, 3, padding=1, **options)


class Upsampled(nn.Module):
    """Works on 224 pixels that were 64."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(_conv(3, 16, stride=2), nn.ReLU(), _conv(16, 32, stride=2), nn.ReLU(), _conv(32, 32))

    def forward(self, x):
        return self.body(F.interpolate(x, size=(224, 224), mode="bilinear", align_corners=False))


class TinyOperators(nn.Module):
    """Sixty operators on four numbers each."""

    def forward(self, x):
        for i in range(20):
            x = torch.sin(x * (1 + 0.01 * i)) + 0.5
        return x


class Permuted(nn.Module):
    """Goes to channels-last and back around every activation."""

    def forward(self, x):
        for _ in range(4):
            x = torch.tanh(x.permute(0, 2, 3, 1).contiguous())
            x = torch.sigmoid(x.permute(0, 3, 1, 2).contiguous())
        return x


class Activations(nn.Module):
    """Layers of little arithmetic, so that the clamps between them are a good part of the work."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(*[layer for _ in range(6) for layer in (nn.Conv2d(8, 8, 1), nn.ReLU())])

    def forward(self, x):
        return self.body(x)


class BatchNorms(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(*[layer for _ in range(3) for layer in (_conv(16, 16), nn.BatchNorm2d(16), nn.ReLU())])

    def forward(self, x):
        return self.body(x)


class Fragments(nn.Module):
    """Small layers that the delegate takes, with operators between that it does not."""

    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(16, 16) for _ in range(24)])

    def forward(self, x):
        for layer in self.layers:
            x = torch.cumsum(layer(x), 1) * 0.1
        return x


class Norms(nn.Module):
    """Layers so narrow that the norms between them, which the delegate does not take, are a good part of the work."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(*[layer for _ in range(8) for layer in (nn.Linear(32, 32), nn.LayerNorm(32))])

    def forward(self, x):
        return self.body(x)


class RoundTrips(nn.Module):
    """Dequantised for an activation that integers could pass through, again and again."""

    def forward(self, x):
        quantise, dequantise = (getattr(torch.ops.quantized_decomposed, name) for name in
                                ("quantize_per_tensor", "dequantize_per_tensor"))
        for _ in range(4):
            q = quantise(x, 0.05, 0, -128, 127, torch.int8)
            x = torch.relu(dequantise(q, 0.05, 0, -128, 127, torch.int8))
        return x


class OneTransposed(nn.Module):
    """Six convolutions of equal work; one is transposed, for which there is no fast kernel."""

    def __init__(self):
        super().__init__()
        layers = [_conv(48, 48) for _ in range(6)]
        layers[3] = nn.ConvTranspose2d(48, 48, 3, padding=1)
        self.body = nn.Sequential(*layers)

    def forward(self, x):
        return self.body(x)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("findings")


@pytest.fixture(scope="module")
def profile(folder):
    """Exports a model (a module and its input, or zoo:NAME) and returns the findings of a profile of it, by rule."""
    done = {}

    def get(model, shape=None, export=(), options=()):
        key = (str(model), tuple(export), tuple(options))
        if key in done:
            return done[key]
        done[key] = {}
        place = folder / str(len(done))
        place.mkdir()
        source = model
        if not isinstance(model, str):
            import torch.ao.quantization.fx._decomposed  # noqa: F401  (registers the operators)

            torch.manual_seed(1)
            source = place / "model.pt2"
            torch.export.save(torch.export.export(model().eval(), (torch.rand(shape),)), source)
        etalon_program.run("export", source, "-o", place / "model.pte", "--quiet", *export)
        summary = etalon_program.run_json(
            "profile", place / "model.pte", "--runs", 30, "--warmup", 5, "-o", place / "run", "--quiet", "--json", *options
        )
        for finding in summary["findings"]:
            done[key].setdefault(finding["rule"], []).append(finding)
        return done[key]

    return get


_PORTABLE = ("--backend", "portable")
_DELEGATED = ("--backend", "xnnpack")

# (rule, part of the subject, model, shape, export options, profile options)
_DEFECTS = [
    ("undelegated-operators", "nothing is delegated", "zoo:mobilenet_v2", None, _PORTABLE, ()),
    ("unfused-activation", "relu", Activations, (1, 8, 112, 112), _PORTABLE, ()),
    ("early-activation-memory", "", "zoo:mobilenet_v2", None, _PORTABLE, ()),
    ("norms-outside-delegate", "layer_norm", Norms, (1, 1024, 32), _DELEGATED, ()),
    ("upsampling-in-model", "esize", Upsampled, (1, 3, 64, 64), _DELEGATED, ()),
    ("tiny-operators", "", TinyOperators, (4,), _PORTABLE, ()),
    ("layout-churn", "", Permuted, (1, 64, 96, 96), _PORTABLE, ()),
    ("unfused-batch-norm", "batch_norm", BatchNorms, (1, 16, 56, 56), (*_PORTABLE, "--disable-pass", "fold-batch-norm"), ()),
    ("partition-fragmentation", "cumsum", Fragments, (1, 16), _DELEGATED, ()),
    ("quantise-round-trips", "quantize_per_tensor", RoundTrips, (1, 32, 64, 64), _PORTABLE, ()),
    ("slow-outlier", "convolution", OneTransposed, (1, 48, 56, 56), _PORTABLE, ()),
    ("threads-past-knee", "the knee is at 1", TinyOperators, (4,), _PORTABLE, ("--threads", "1,2")),
]


@pytest.mark.parametrize("rule, subject, model, shape, export, options", _DEFECTS, ids=[row[0] for row in _DEFECTS])
def test_a_planted_defect_is_found(profile, rule, subject, model, shape, export, options):
    found = profile(model, shape, export, options)
    assert rule in found, f"found only {sorted(found)}"
    assert any(subject in finding["subject"] for finding in found[rule]), found[rule]
    for finding in found[rule]:
        assert finding["evidence"], finding
        if "saving_ms" in finding:
            low, high = finding["saving_ms"]
            assert 0 <= low <= high


def test_the_same_rules_are_silent_on_a_healthy_network(profile):
    found = profile("zoo:mobilenet_v2", None, _DELEGATED)
    wrong = sorted(set(found) & {row[0] for row in _DEFECTS})
    assert not wrong, [found[rule] for rule in wrong]
