"""The 16-bit files."""

import sources


def inputs(folder):
    """The inputs in half, for programs that want them so; integers as they are."""
    import numpy

    for path in sources.input_files(folder):
        array = numpy.load(path)
        numpy.save(folder / f"half_{path.name}", array.astype(numpy.float16) if array.dtype.kind == "f" else array)


def ours(folder, target):
    inputs(folder)
    sources.export_ours(folder, target, "--dtype", "fp16")


def _without_float32(module):
    """A traced module keeps the type that it was traced with, in checks and conversions; `.half()` knows its tensors only."""
    import torch
    from torch.fx.node import map_aggregate

    for node in list(module.graph.nodes):
        if node.target is torch.ops.aten._assert_tensor_metadata.default:
            module.graph.erase_node(node)
        else:
            node.args, node.kwargs = (map_aggregate(values, lambda v: torch.float16 if v is torch.float32 else v)
                                      for values in (node.args, node.kwargs))
    module.recompile()
    return module


def real(folder, target):
    """The module made `.half()` and exported again."""
    import torch

    inputs(folder)
    with torch.no_grad():
        module = _without_float32(sources.program(folder).module()).half()
        sources.lower(torch.export.export(module, sources.inputs(folder, "half_input")), target)


def onnx(folder, target):
    """ONNX Runtime's own converter; inputs and outputs stay float32."""
    import onnx as onnx_package
    from onnxruntime.transformers import float16

    model = onnx_package.load(folder / "model.onnx")
    onnx_package.save(float16.convert_float_to_float16(model, keep_io_types=True), target)


MAKERS = {"ours_half.pte": ours, "real_half.pte": real, "half.onnx": onnx}
