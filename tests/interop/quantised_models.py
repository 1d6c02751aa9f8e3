"""Models quantised by PyTorch (torchao's prepare_pt2e / convert_pt2e with XNNPACKQuantizer), and what the real
ExecuTorch makes of them.

    python tests/interop/quantised_models.py [NAME-SCHEME ...]      builds what is missing in the cache

Each (model, scheme) is made once and kept in the corpus' cache folder: model.pt2, real.pte (the real partitioner's),
in<i>.npy, eager<i>.npy (the converted model in PyTorch), real<i>.npy (real.pte in the real runtime) and case.json.
"""

import hashlib
import importlib.metadata
import inspect
import json
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parents[2] / "python")]

import numpy  # noqa: E402
import torch  # noqa: E402
from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402

import architectures  # noqa: E402
from corpus import cache_root  # noqa: E402
from etalon.model import require  # noqa: E402

_FORMAT = 1  # raise it when the layout of a cached folder or the way of lowering changes
SCHEMES = {
    "static": {"is_per_channel": True, "is_dynamic": False},
    "static_per_tensor": {"is_per_channel": False, "is_dynamic": False},
    "dynamic": {"is_per_channel": True, "is_dynamic": True},
    "dynamic_per_tensor": {"is_per_channel": False, "is_dynamic": True},
}
_CALIBRATION_RUNS = 3


class Mlp(nn.Module):
    """Linear layers with and without bias and activations, over rows of three dims."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(32, 64), nn.Linear(64, 64, bias=False)
        self.norm, self.last = nn.LayerNorm(64), nn.Linear(64, 10)

    def forward(self, x):
        x = F.relu(self.first(x))
        return self.last(self.norm(x + self.second(x)))


class Block(nn.Module):
    """A transformer block: attention and a feed-forward part, each behind a layer norm."""

    def __init__(self, width=64, heads=4):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.projection = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x):
        batch, length, width = x.shape
        qkv = self.qkv(self.norm1(x)).reshape(batch, length, 3, self.heads, width // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        attended = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(batch, length, width)
        x = x + self.projection(attended)
        return x + self.down(F.gelu(self.up(self.norm2(x))))


class Pieces(nn.Module):
    """What int8 models of images are made of besides convolutions and additions."""

    def __init__(self):
        super().__init__()
        self.stem, self.up = nn.Conv2d(3, 16, 3, padding=1), nn.ConvTranspose2d(16, 16, 2, stride=2)
        self.depthwise, self.grouped = nn.Conv2d(16, 16, 5, padding=2, groups=16), nn.Conv2d(16, 16, 3, groups=4)
        self.wide, self.head = nn.Conv2d(64, 16, 1), nn.Linear(16, 12)
        self.down, self.line = nn.Conv2d(16, 16, 1), nn.Conv1d(16, 8, 3, padding=1)

    def forward(self, x):
        a = F.relu(self.stem(x))
        b = F.max_pool2d(self.depthwise(a), 2)
        c = F.hardtanh(self.up(b), 0, 6) * torch.sigmoid(a) - F.leaky_relu(a, 0.1)
        d = F.pad(self.grouped(c), (1, 1, 1, 1))
        e = self.wide(torch.cat([a, c, d, F.hardswish(d)], 1))
        f = F.interpolate(F.avg_pool2d(self.down(e), 2), scale_factor=2, mode="bilinear", align_corners=False)
        g = F.silu(f + e) * F.hardsigmoid(e.mean((2, 3), keepdim=True))
        h = torch.tanh(self.line(g.flatten(2))).transpose(1, 2)[:, 2:40]
        return self.head(g.mean((2, 3))), h, F.elu(e).amax((2, 3))


def _torchvision(name, **options):
    return lambda: getattr(architectures.torchvision_models(), name)(weights=None, num_classes=50, **options)


def _vit():
    timm = require("timm", "quantised models")
    return timm.create_model("vit_tiny_patch16_224", pretrained=False, img_size=64, depth=4, num_classes=10)


@dataclass
class Model:
    make: object
    shape: tuple
    schemes: tuple = tuple(SCHEMES)


STATIC = ("static", "static_per_tensor")
MODELS = {
    "mlp": Model(Mlp, (2, 5, 32)),
    "block": Model(Block, (1, 9, 64)),
    "pieces": Model(Pieces, (1, 3, 16, 16)),
    "mobilenet_v2": Model(_torchvision("mobilenet_v2"), (1, 3, 96, 96)),
    "mobilenet_v3_small": Model(_torchvision("mobilenet_v3_small"), (1, 3, 96, 96)),
    "resnet18": Model(_torchvision("resnet18"), (1, 3, 64, 64), ("static", "static_per_tensor", "dynamic")),
    "vit_tiny": Model(_vit, (1, 3, 64, 64), ("static", "dynamic")),
}


def names():
    return [(name, scheme) for name, model in MODELS.items() for scheme in model.schemes]


def _quantised(module, runs, scheme):
    from executorch.backends.xnnpack.quantizer.xnnpack_quantizer import (
        XNNPACKQuantizer,
        get_symmetric_quantization_config,
    )
    from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e

    quantizer = XNNPACKQuantizer()
    quantizer.set_global(get_symmetric_quantization_config(**SCHEMES[scheme]))
    prepared = prepare_pt2e(torch.export.export(module, runs[0]).module(), quantizer)
    for inputs in runs:
        prepared(*inputs)
    return convert_pt2e(prepared)


def _lower(program, path):
    import executorch.kernels.quantized  # noqa: F401 what is not delegated wants its out variants
    from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
    from executorch.exir import to_edge_transform_and_lower

    lowered = to_edge_transform_and_lower(program, partitioner=[XnnpackPartitioner()])
    path.write_bytes(lowered.to_executorch().buffer)


def _quanta(program):
    """Per output the scale it was quantised with, 0 where it was not."""
    output = next(node for node in program.graph.nodes if node.op == "output")
    return [float(n.args[1]) if "dequantize_per_tensor" in str(n.target) else 0.0 for n in output.args[0]]


def _write(model, scheme, folder):
    from real_runtime import RealProgram

    torch.manual_seed(0)
    with torch.no_grad():
        module = architectures.randomise_statistics(model.make().eval())
        runs = [(torch.randn(*model.shape),) for _ in range(_CALIBRATION_RUNS)]
        program = torch.export.export(_quantised(module, runs, scheme), runs[0])
        torch.export.save(program, folder / "model.pt2")
        _lower(program, folder / "real.pte")
        x = torch.randn(*model.shape)
        eager = torch.utils._pytree.tree_leaves(program.module()(x))
        real = RealProgram(folder / "real.pte").call([x.numpy()])
        floats = torch.utils._pytree.tree_leaves(module(x))
    numpy.save(folder / "in0.npy", x.numpy())
    for prefix, outputs in (("eager", eager), ("real", real), ("float", floats)):
        for i, array in enumerate(outputs):
            numpy.save(folder / f"{prefix}{i}.npy", numpy.ascontiguousarray(array))
    (folder / "case.json").write_text(json.dumps({"outputs": len(eager), "quanta": _quanta(program)}, indent=1))


@dataclass
class QuantisedCase:
    name: str
    scheme: str
    folder: Path
    info: dict

    @property
    def pt2(self):
        return self.folder / "model.pt2"

    @property
    def real_program(self):
        return self.folder / "real.pte"

    def input_paths(self):
        return [self.folder / "in0.npy"]

    def inputs(self):
        return [numpy.load(self.folder / "in0.npy")]

    def outputs(self, kind):
        """Of `eager` (converted, in PyTorch), `real` (real.pte in the real runtime) or `float` (not quantised)."""
        return [numpy.load(self.folder / f"{kind}{i}.npy") for i in range(self.info["outputs"])]


def _digest(name, scheme):
    versions = [importlib.metadata.version(p) for p in ("torch", "torchao", "executorch")]
    make = MODELS[name].make
    text = f"{inspect.getsource(make)} {MODELS[name].shape} {SCHEMES[scheme]} {versions} {_FORMAT}"
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _folder(name, scheme):
    return cache_root() / f"quantised-{name}-{scheme}-{_digest(name, scheme)}"


def find(name, scheme):
    """The case, if it is in the cache."""
    folder = _folder(name, scheme)
    if not (folder / "case.json").exists():
        return None
    return QuantisedCase(name, scheme, folder, json.loads((folder / "case.json").read_text()))


def build(name, scheme):
    """Returns the case, from the cache or newly made; slow the first time."""
    folder = _folder(name, scheme)
    if find(name, scheme) is None:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as part:
            _write(MODELS[name], scheme, Path(part))
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(part, folder)
    return find(name, scheme)


def main():
    for name, scheme in names():
        if len(sys.argv) > 1 and f"{name}-{scheme}" not in sys.argv[1:]:
            continue
        print(f"{name}-{scheme}: {build(name, scheme).folder}", flush=True)


if __name__ == "__main__":
    main()
