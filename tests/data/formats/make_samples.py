"""Makes the sample files of this folder anew: python make_samples.py (torch, executorch and numpy must be installed).

XNNPACK's event names and all times differ from machine to machine; nothing else should.
"""

import re

import numpy as np
import torch
from executorch.devtools import BundledProgram
from executorch.devtools.bundled_program.config import MethodTestCase, MethodTestSuite
from executorch.devtools.bundled_program.serialize import serialize_from_bundled_program_to_flatbuffer
from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
from executorch.exir import ExecutorchBackendConfig, to_edge, to_edge_transform_and_lower
from executorch.exir.passes.init_mutable_pass import InitializedMutableBufferPass
from executorch.extension.pybindings import portable_lib
from torch import nn


def export(model, args, kwargs=None, **options):
    """torch.export.export with folders cut from the file names in stack traces."""
    program = torch.export.export(model, args, kwargs, **options)
    for module in program.graph_module.modules():
        for node in getattr(getattr(module, "graph", None), "nodes", []):
            trace = node.meta.get("stack_trace")
            if trace:
                node.meta["stack_trace"] = re.sub(r'File "[^"]*/([^"/]+)"', r'File "\1"', trace)
    return program


def write(name, content):
    with open(name, "wb") as file:
        file.write(content)


class TinyCnn(nn.Module):
    def __init__(s):
        super().__init__()
        s.conv = nn.Conv2d(1, 2, 3, padding=1)
        s.bn = nn.BatchNorm2d(2)
        s.fc = nn.Linear(8, 3)
        s.register_buffer("np_buf", torch.ones(3), persistent=False)

    def forward(s, x, scale: int = 2, *, bias=None):
        y = torch.relu(s.bn(s.conv(x)))
        y = nn.functional.max_pool2d(y, 2).flatten(1)
        y = s.fc(y) * torch.tensor([1.0, 2.0, 3.0]) + s.np_buf
        return y if bias is None else y + bias


class Dynamic(nn.Module):
    def __init__(s):
        super().__init__()
        s.l = nn.Linear(4, 2).half()

    def forward(s, xs):
        a, b = xs
        return torch.cat([s.l(a["k"]), b], dim=1).sum(), a["k"].shape[0] * 2


class Small(nn.Module):
    def __init__(s):
        super().__init__()
        s.conv = nn.Conv2d(1, 2, 3, padding=1)
        s.fc = nn.Linear(8, 3)

    def forward(s, x):
        y = nn.functional.max_pool2d(torch.relu(s.conv(x)), 2).flatten(1)
        return torch.softmax(s.fc(y), -1)


class Counter(nn.Module):
    def __init__(s):
        super().__init__()
        s.register_buffer("n", torch.ones(2))

    def forward(s, x):
        s.n.add_(1.0)
        return x + s.n


def make_exported():
    torch.manual_seed(0)
    model, x = TinyCnn().eval(), torch.randn(1, 1, 4, 4)
    torch.export.save(export(model, (x, 2), {"bias": torch.ones(3)}), "tiny_cnn.pt2")
    torch.save(dict(model.state_dict()), "weights.pt")
    n = torch.export.Dim("n", min=2, max=9)
    inputs = (({"k": torch.ones(3, 4).half()}, torch.ones(3, 1).half()),)
    torch.export.save(export(Dynamic(), inputs, dynamic_shapes=(({"k": {0: n}}, {0: n}),)), "dynamic.pt2")
    tensors = (x, torch.arange(3, dtype=torch.uint8), nn.Parameter(torch.ones(2, 2).bfloat16()),
               torch.tensor([1 + 2j]), torch.ones(2, dtype=torch.uint16))
    torch.save((*tensors, {"a": 1, "b": [True, None, "s", 2.5, -7, 2**40]}), "misc.pt")


def make_programs():
    torch.manual_seed(0)
    small, x = Small().eval(), torch.randn(1, 1, 4, 4)
    for name, partitioners in (("portable", []), ("xnnpack", [XnnpackPartitioner()])):
        edge = to_edge_transform_and_lower(export(small, (x,)), partitioner=partitioners, generate_etrecord=True)
        program = edge.to_executorch()
        write(f"tiny_{name}.pte", program.buffer)
        if partitioners:
            program.get_etrecord().save(f"tiny_{name}.etrecord")
        module = portable_lib._load_for_executorch(f"tiny_{name}.pte", enable_etdump=True,
                                                    debug_buffer_size=1 << 16)
        for _ in range(2):
            module.run_method("forward", (x,))
        module.write_etdump_result_to_file(f"tiny_{name}.etdump", "debug.bin")
    program = to_edge_transform_and_lower(export(small, (x,))).to_executorch()
    case = MethodTestCase(inputs=(x,), expected_outputs=(small(x),))
    bundle = BundledProgram(program, [MethodTestSuite("forward", [case])])
    write("tiny.bpte", serialize_from_bundled_program_to_flatbuffer(bundle))
    config = ExecutorchBackendConfig(external_constants=True)
    program = to_edge_transform_and_lower(export(small, (x,))).to_executorch(config)
    write("external.pte", program.buffer)
    program.write_tensor_data_to_file(".")  # rename _default_external_constant.ptd to external.ptd
    config = ExecutorchBackendConfig(passes=[InitializedMutableBufferPass(["n"])])
    write("state.pte", to_edge(export(Counter(), (torch.ones(2),))).to_executorch(config).buffer)


def make_arrays():
    np.save("f4.npy", np.arange(6, dtype="<f4").reshape(2, 3))
    np.save("fortran.npy", np.asfortranarray(np.arange(6, dtype="<i8").reshape(2, 3)))
    np.save("b1.npy", np.array([True, False]))
    np.save("scalar.npy", np.float16(2.5))


make_exported()
make_programs()
make_arrays()
