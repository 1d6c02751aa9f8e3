"""Models for every node type that the real ExecuTorch writes into XNNPACK payloads, and its programs of them.

Features are lowered in groups, side by side in one model, because lowering takes 20 s whatever its size. Each
(group, precision) is lowered once with the real exporter and run once in the real runtime; both are kept in the
corpus' cache folder: real.pte, in<i>.npy, out<i>.npy and case.json (outputs by feature, node and data types in the
payloads).
"""

import hashlib
import json
import shutil
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy
import torch
from torch import nn
from torch.nn import functional as F

import architectures
from corpus import cache_root
from etalon.model import require

_FORMAT = 1  # raise it when the layout of a cached folder or the way of lowering changes
GROUPS = {}


@dataclass
class Feature:
    """`node` must occur in the payload; `precisions` are those in which it is tried."""

    name: str
    node: str
    precisions: tuple
    make_module: object
    make_inputs: tuple


ALL = ("fp32", "fp16", "int8", "int8_per_tensor")
FLOAT = ("fp32", "fp16")
LINEAR = ALL + ("int8_dynamic",)


class _Group:
    """Collects the features that are declared after it."""

    def __init__(self, name):
        self.features = GROUPS.setdefault(name, {})

    def model(self, name, node, module, *inputs, precisions=FLOAT):
        self.features[name] = Feature(name, node, precisions, module, inputs)

    def function(self, name, node, function, *inputs, precisions=FLOAT):
        self.model(name, node, lambda: Call(function), *inputs, precisions=precisions)


class Call(nn.Module):
    """A function of tensors as a module."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, *tensors):
        return self.function(*tensors)


class SideBySide(nn.Module):
    """Several modules, each with inputs of its own."""

    def __init__(self, modules, counts):
        super().__init__()
        self.parts, self.counts = nn.ModuleList(modules), counts

    def forward(self, *tensors):
        outputs, at = [], 0
        for part, count in zip(self.parts, self.counts):
            result = part(*tensors[at : at + count])
            outputs += [result] if isinstance(result, torch.Tensor) else list(result)
            at += count
        return tuple(outputs)


class Quantised(nn.Module):
    """A function between explicit quantisations, for what the quantizer leaves in float when it stands alone."""

    def __init__(self, function, scale, zero_point):
        super().__init__()
        self.function, self.scale, self.zero_point = function, scale, zero_point

    def _rounded(self, x):
        import torch.ao.quantization.fx._decomposed  # noqa: F401 defines the operators

        ops, limits = torch.ops.quantized_decomposed, (self.scale, self.zero_point, -128, 127, torch.int8)
        return ops.dequantize_per_tensor.default(ops.quantize_per_tensor.default(x, *limits), *limits)

    def forward(self, *tensors):
        return self._rounded(self.function(*[self._rounded(x) for x in tensors]))


def normal(*shape):
    return lambda: torch.randn(*shape)


def positive(*shape):
    return lambda: torch.rand(*shape) + 0.1


IMAGE = normal(1, 8, 12, 10)
ROWS = normal(3, 7, 16)

# --- products with filters ----------------------------------------------------------------------------------

products = _Group("products")

products.model("conv", "Conv2d", lambda: nn.Conv2d(8, 12, 3, padding=1), IMAGE, precisions=LINEAR)
products.model(
    "conv_relu", "Conv2d", lambda: nn.Sequential(nn.Conv2d(8, 12, 3), nn.ReLU()), IMAGE, precisions=ALL
)
products.model(
    "conv_relu6", "Conv2d", lambda: nn.Sequential(nn.Conv2d(8, 12, 3), nn.ReLU6()), IMAGE, precisions=ALL
)
products.model(
    "conv_strided",
    "Conv2d",
    lambda: nn.Conv2d(8, 12, (3, 5), stride=(2, 3), padding=(1, 2), bias=False),
    IMAGE,
    precisions=LINEAR,
)
products.model(
    "conv_dilated", "Conv2d", lambda: nn.Conv2d(8, 12, 3, dilation=2, padding=2), IMAGE, precisions=ALL
)
products.model(
    "conv_grouped", "Conv2d", lambda: nn.Conv2d(8, 12, 3, groups=4, padding=1), IMAGE, precisions=LINEAR
)
products.model("conv_pointwise", "Conv2d", lambda: nn.Conv2d(8, 20, 1), normal(2, 8, 5, 7), precisions=LINEAR)
products.model("conv_1d", "Conv2d", lambda: nn.Conv1d(6, 9, 5, padding=2), normal(2, 6, 30), precisions=ALL)
products.model(
    "depthwise", "DepthwiseConv2d", lambda: nn.Conv2d(8, 8, 3, groups=8, padding=1), IMAGE, precisions=ALL
)
products.model(
    "depthwise_multiplied",
    "DepthwiseConv2d",
    lambda: nn.Conv2d(8, 24, 3, stride=2, groups=8),
    IMAGE,
    precisions=ALL,
)
products.model(
    "depthwise_of_one_channel",
    "DepthwiseConv2d",
    lambda: nn.Conv2d(1, 6, 5, padding=2),
    normal(1, 1, 14, 14),
    precisions=ALL,
)
products.model("lone_batch_norm", "DepthwiseConv2d", lambda: nn.BatchNorm2d(8), IMAGE)
products.model(
    "conv_transposed",
    "ConvTranspose2d",
    lambda: nn.ConvTranspose2d(8, 6, 3, stride=2, padding=1, output_padding=1),
    IMAGE,
    precisions=ALL,
)
products.model(
    "conv_transposed_plain", "ConvTranspose2d", lambda: nn.ConvTranspose2d(8, 8, 2, stride=2), IMAGE
)
products.model("linear", "FullyConnected", lambda: nn.Linear(16, 10), ROWS, precisions=LINEAR)
products.model(
    "linear_without_bias",
    "FullyConnected",
    lambda: nn.Linear(16, 10, bias=False),
    normal(5, 16),
    precisions=LINEAR,
)
products.model(
    "linear_relu",
    "FullyConnected",
    lambda: nn.Sequential(nn.Linear(16, 24), nn.ReLU(), nn.Linear(24, 5)),
    normal(4, 16),
    precisions=LINEAR,
)
products.model(
    "linear_of_groups", "FullyConnected", lambda: nn.Linear(64, 24), normal(5, 64), precisions=("int4",)
)
products.function("batch_matmul", "BatchMatrixMultiply", torch.bmm, normal(3, 5, 8), normal(3, 8, 6))

# An input in this layout makes the exporter treat its neighbours differently, so it is lowered alone.
channels_last = _Group("channels_last")
channels_last.model(
    "conv_channels_last",
    "Conv2d",
    lambda: nn.Conv2d(8, 12, 3),
    lambda: torch.randn(1, 8, 12, 10).to(memory_format=torch.channels_last),
    precisions=ALL,
)

# --- elementwise --------------------------------------------------------------------------------------------

elementwise = _Group("elementwise")

elementwise.function("add", "Add", torch.add, IMAGE, IMAGE, precisions=ALL)
elementwise.function("add_relu", "Add", lambda a, b: F.relu(a + b), IMAGE, IMAGE, precisions=ALL)
elementwise.function("add_broadcast", "Add", torch.add, IMAGE, normal(8, 1, 1))
elementwise.function("sub", "Subtract", torch.sub, IMAGE, IMAGE, precisions=ALL)
elementwise.function("mul", "Multiply", torch.mul, IMAGE, IMAGE, precisions=ALL)
elementwise.function("mul_broadcast", "Multiply", torch.mul, IMAGE, normal(1, 8, 1, 1), precisions=ALL)
elementwise.function("mul_scalar", "Multiply", lambda x: x * 0.3, ROWS)
elementwise.function("div", "Div", torch.div, IMAGE, positive(1, 8, 12, 10))
elementwise.function("minimum", "Minimum", torch.minimum, IMAGE, IMAGE)
elementwise.function("maximum", "Maximum", torch.maximum, IMAGE, IMAGE)
elementwise.function("clamp", "Clamp", lambda x: torch.clamp(x, -0.5, 0.75), IMAGE, precisions=ALL)
elementwise.function("relu", "Clamp", F.relu, IMAGE, precisions=ALL)
elementwise.function("sigmoid", "Sigmoid", torch.sigmoid, IMAGE, precisions=ALL)
elementwise.function("tanh", "Tanh", torch.tanh, IMAGE, precisions=ALL)
# The exporter leaves it outside in fp16.
elementwise.function("gelu", "Gelu", F.gelu, IMAGE, precisions=("fp32", "int8", "int8_per_tensor"))
elementwise.function(
    "gelu_tanh", "Gelu", lambda x: F.gelu(x, approximate="tanh"), IMAGE, precisions=("fp32",)
)
elementwise.function("hardswish", "Hardswish", F.hardswish, IMAGE, precisions=ALL)
elementwise.function("hardsigmoid", "Div", F.hardsigmoid, IMAGE)
elementwise.function("leaky_relu", "LeakyReLU", lambda x: F.leaky_relu(x, 0.1), IMAGE, precisions=ALL)
elementwise.model("prelu", "PReLU", lambda: nn.PReLU(8), IMAGE)
elementwise.function("exp", "Exp", torch.exp, ROWS)
elementwise.function("log", "Log", torch.log, positive(3, 7, 16))
elementwise.function("sin", "Sin", torch.sin, ROWS)
elementwise.function("cos", "Cos", torch.cos, ROWS)
elementwise.function("abs", "Abs", torch.abs, ROWS)
elementwise.function("neg", "Negate", torch.neg, ROWS)
elementwise.function("square", "Square", torch.square, ROWS)
elementwise.function("sqrt", "SquareRoot", torch.sqrt, positive(3, 7, 16))
elementwise.function("rsqrt", "ReciprocalSquareRoot", torch.rsqrt, positive(3, 7, 16))
elementwise.function("floor", "Floor", torch.floor, ROWS)
elementwise.function("ceil", "Ceiling", torch.ceil, ROWS)
elementwise.function("softmax", "Softmax", lambda x: F.softmax(x, -1), ROWS)

# --- windows ------------------------------------------------------------------------------------------------

windows = _Group("windows")

windows.function("max_pool", "MaxPooling2d", lambda x: F.max_pool2d(x, 3, 2, 1), IMAGE, precisions=ALL)
windows.function("max_pool_ceil", "MaxPooling2d", lambda x: F.max_pool2d(x, 3, 2, ceil_mode=True), IMAGE)
windows.function("max_pool_dilated", "MaxPooling2d", lambda x: F.max_pool2d(x, 2, 1, dilation=2), IMAGE)
windows.function("avg_pool", "AvgPooling2d", lambda x: F.avg_pool2d(x, (3, 2), 2), IMAGE)
windows.function(
    "avg_pool_padded", "AvgPooling2d", lambda x: F.avg_pool2d(x, 3, 2, 1, count_include_pad=False), IMAGE
)
windows.function(
    "mean", "GlobalAvgPooling2d", lambda x: x.mean((-1, -2), keepdim=True), IMAGE, precisions=ALL
)
windows.function(
    "upsample",
    "StaticResizeBilinear2D",
    lambda x: F.interpolate(x, size=(25, 17), mode="bilinear", align_corners=False),
    IMAGE,
)
windows.function(
    "upsample_corners",
    "StaticResizeBilinear2D",
    lambda x: F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=True),
    IMAGE,
)


def _quantised(name, node, function, *inputs):
    windows.model(
        f"quantised_{name}", node, lambda: Quantised(function, 0.05, -7), *inputs, precisions=("fp32",)
    )


_quantised("max_pool", "MaxPooling2d", lambda x: F.max_pool2d(x, 3, 2, 1), IMAGE)
_quantised("mean", "GlobalAvgPooling2d", lambda x: x.mean((-1, -2), keepdim=True), normal(1, 64, 2, 2))
_quantised(
    "upsample",
    "StaticResizeBilinear2D",
    lambda x: F.interpolate(x, size=(25, 17), mode="bilinear", align_corners=False),
    IMAGE,
)

# --- movement -----------------------------------------------------------------------------------------------

movement = _Group("movement")

movement.function("permute", "StaticTranspose", lambda x: x.permute(0, 2, 3, 1) * 2.0, IMAGE, precisions=ALL)
movement.function(
    "permute_5d",
    "StaticTranspose",
    lambda x: x.permute(2, 0, 3, 1, 4) + x.permute(2, 0, 3, 1, 4),
    normal(1, 4, 3, 2, 5),
)
movement.function("reshape", "StaticReshape", lambda x: F.relu(x).reshape(4, 84), ROWS)
movement.function("slice", "StaticSlice", lambda x: F.relu(x)[:, 2:7, 1:9], normal(3, 8, 12), precisions=ALL)
movement.function(
    "pad", "StaticConstantPad", lambda x: F.pad(x, (1, 2, 3, 0), value=0.5), IMAGE, precisions=ALL
)
for _count in (2, 3, 4, 5):
    movement.function(
        f"cat_{_count}",
        f"Concatenate{_count}",
        lambda *t: torch.cat(t, 1),
        *([IMAGE] * _count),
        precisions=ALL,
    )
movement.function("cat_7", "Concatenate5", lambda *t: torch.cat(t, 1), *([IMAGE] * 7))
movement.function("stack", "Concatenate2", lambda a, b: torch.stack((a, b)), ROWS, ROWS)

# --- whole nets ---------------------------------------------------------------------------------------------


def _torchvision(name, **options):
    return lambda: getattr(architectures.torchvision_models(), name)(weights=None, **options)


def _vit():
    timm = require("timm", "corpus")
    return timm.create_model("vit_tiny_patch16_224", pretrained=False, img_size=64, depth=2, num_classes=10)


NETS = []


def _net(name, node, make_module, size, precisions):
    NETS.append(name)
    _Group(name).model(name, node, make_module, normal(1, 3, size, size), precisions=precisions)


_net(
    "mobilenet_v2",
    "DepthwiseConv2d",
    _torchvision("mobilenet_v2", width_mult=0.35, num_classes=50),
    64,
    LINEAR,
)
_net("mobilenet_v3", "Hardswish", _torchvision("mobilenet_v3_small", num_classes=50), 64, ("fp32", "int8"))
_net(
    "resnet18", "MaxPooling2d", _torchvision("resnet18", num_classes=10), 64, ("fp32", "int8", "int8_dynamic")
)
_net("vit", "BatchMatrixMultiply", _vit, 64, ("fp32", "fp16", "int8", "int8_dynamic"))
_net("squeeze_excite", "Clamp", architectures.SqueezeExciteNet, 32, ALL)


# --- lowering with the real ExecuTorch ----------------------------------------------------------------------


def _with_quantizer(module, inputs, per_channel, dynamic):
    from executorch.backends.xnnpack.quantizer.xnnpack_quantizer import (
        XNNPACKQuantizer,
        get_symmetric_quantization_config,
    )
    from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e

    quantizer = XNNPACKQuantizer()
    quantizer.set_global(get_symmetric_quantization_config(is_per_channel=per_channel, is_dynamic=dynamic))
    prepared = prepare_pt2e(torch.export.export(module, inputs).module(), quantizer)
    prepared(*inputs)
    return convert_pt2e(prepared)


def _with_4_bit_weights(module):
    from torchao.quantization import Int8DynamicActivationIntxWeightConfig, quantize_
    from torchao.quantization.granularity import PerGroup

    config = Int8DynamicActivationIntxWeightConfig(weight_dtype=torch.int4, weight_granularity=PerGroup(32))
    quantize_(module, config)
    return module


def _in_precision(module, inputs, precision):
    if precision == "fp16":
        return module.half(), tuple(x.half() for x in inputs)
    if precision == "int4":
        return _with_4_bit_weights(module), inputs
    if precision.startswith("int8"):
        module = _with_quantizer(module, inputs, precision != "int8_per_tensor", precision == "int8_dynamic")
    return module, inputs


def _output_quanta(exported):
    """Per output the scale it was quantised with, 0 where it was not."""
    output = next(node for node in exported.graph.nodes if node.op == "output")
    return [
        float(node.args[1]) if "dequantize_per_tensor" in str(node.target) else 0.0 for node in output.args[0]
    ]


class _Payloads:
    """Records what the exporter puts into payloads."""

    def __init__(self):
        self.nodes, self.types = Counter(), Counter()

    def __enter__(self):
        from executorch.backends.xnnpack import xnnpack_preprocess

        self._module, self._original = xnnpack_preprocess, xnnpack_preprocess.serialize_xnnpack_binary
        xnnpack_preprocess.serialize_xnnpack_binary = self._record
        return self

    def __exit__(self, *_):
        self._module.serialize_xnnpack_binary = self._original

    def _record(self, graph, *rest, **options):
        for node in graph.xnodes:
            self.nodes[type(node.xnode_union).__name__.replace("XNN", "").lstrip("_")] += 1
        for value in graph.xvalues:
            tensor = getattr(value.xvalue_union, "tensor_value", value.xvalue_union)
            self.types[tensor.datatype.name.replace("xnn_datatype_", "")] += 1
        return self._original(graph, *rest, **options)


def _lower(module, inputs, path):
    from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
    from executorch.exir import to_edge_transform_and_lower

    exported = torch.export.export(module, inputs)
    with _Payloads() as payloads:
        lowered = to_edge_transform_and_lower(exported, partitioner=[XnnpackPartitioner()]).to_executorch()
    path.write_bytes(lowered.buffer)
    return {"nodes": payloads.nodes, "types": payloads.types, "quanta": _output_quanta(exported)}


def features(group, precision):
    """The features of a group that are tried in this precision."""
    return [feature for feature in GROUPS[group].values() if precision in feature.precisions]


def _assembled(group, precision):
    """(module, inputs, name of the feature of each output)."""
    torch.manual_seed(0)
    modules, inputs, names, counts = [], [], [], []
    for feature in features(group, precision):
        module = architectures.randomise_statistics(feature.make_module().eval())
        own = [make() for make in feature.make_inputs]
        result = module(*own)
        names += [feature.name] * (1 if isinstance(result, torch.Tensor) else len(result))
        modules.append(module)
        counts.append(len(own))
        inputs += own
    module = modules[0] if len(modules) == 1 else SideBySide(modules, counts)
    return module.eval(), tuple(inputs), names


def _write(group, precision, folder):
    from real_runtime import RealProgram

    with torch.no_grad():
        module, inputs, names = _assembled(group, precision)
        module, inputs = _in_precision(module, inputs, precision)
        info = _lower(module, inputs, folder / "real.pte")
        arrays = [x.numpy() for x in inputs]
        outputs = RealProgram(folder / "real.pte").call(arrays)
    for i, array in enumerate(arrays):
        numpy.save(folder / f"in{i}.npy", numpy.ascontiguousarray(array))
    for i, array in enumerate(outputs):
        numpy.save(folder / f"out{i}.npy", numpy.ascontiguousarray(array))
    info.update(inputs=len(arrays), outputs=names)
    (folder / "case.json").write_text(json.dumps(info, indent=1))


@dataclass
class RealCase:
    """A program of the real exporter, with its inputs and the real runtime's outputs."""

    folder: Path
    info: dict

    @property
    def program(self):
        return self.folder / "real.pte"

    def input_paths(self):
        return [self.folder / f"in{i}.npy" for i in range(self.info["inputs"])]

    def outputs_of(self, feature):
        """The numbers of a feature's outputs."""
        return [i for i, name in enumerate(self.info["outputs"]) if name == feature]

    def expected(self, output):
        return numpy.load(self.folder / f"out{output}.npy")


def _digest(group, precision):
    import importlib.metadata

    names = [f"{feature.name} {feature.node}" for feature in features(group, precision)]
    text = f"{names} {torch.__version__} {importlib.metadata.version('executorch')} {_FORMAT}"
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def build(group, precision):
    """Returns the case, from the cache or newly made; slow the first time."""
    folder = cache_root() / f"xnn-{group}-{precision}-{_digest(group, precision)}"
    if not (folder / "case.json").exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as part:
            _write(group, precision, Path(part))
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(part, folder)
    return RealCase(folder, json.loads((folder / "case.json").read_text()))
