"""The real ExecuTorch in this process: runs programs, records and inspects profiles."""

import contextlib
import io

import numpy
import torch


@contextlib.contextmanager
def _quiet():
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield


def _portable_lib():
    with _quiet():
        from executorch.extension.pybindings import portable_lib
    return portable_lib


class RealProgram:
    """A loaded program; `call` may be repeated and keeps the program's state."""

    def __init__(self, path, etdump=False):
        self._module = _portable_lib()._load_for_executorch(str(path), enable_etdump=etdump)

    def call(self, arrays):
        outputs = self._module.forward([torch.from_numpy(numpy.array(a, order="K")) for a in arrays])
        return [_as_array(o) for o in outputs if isinstance(o, torch.Tensor)]

    def write_etdump(self, path):
        self._module.write_etdump_result_to_file(str(path))


def moves(path, arrays, draws=4):
    """How far the real runtime's outputs go, each at most, when the last bits of its float inputs change: by 1e-6."""
    program = RealProgram(path)
    before, far = program.call(arrays), None
    for draw in range(draws):
        noise = numpy.random.default_rng(draw)
        changed = [x * (1 + 1e-6 * noise.uniform(-1, 1, x.shape)).astype(x.dtype) for x in arrays]
        now = [float(numpy.abs(a - b).max()) for a, b in zip(before, program.call(changed))]
        far = now if far is None else [max(pair) for pair in zip(far, now)]
    return far


def _as_array(tensor):
    tensor = tensor.clone()
    return (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy()


def record_etdump(program, arrays, path, calls=3):
    """Runs a program under the real runtime's tracer and writes its ETDump."""
    module = RealProgram(program, etdump=True)
    for _ in range(calls):
        module.call(arrays)
    module.write_etdump(path)
    return path


def inspect(etdump, etrecord=None):
    """The events of the Execute block as the real Inspector sees them."""
    with _quiet():
        from executorch.devtools import Inspector

        inspector = Inspector(etdump_path=str(etdump), etrecord=str(etrecord) if etrecord else None)
    blocks = [b for b in inspector.event_blocks if b.name == "Execute"]
    return [event for block in blocks for event in block.events]
