"""The reference corpus: small but real architectures of many kinds, with PyTorch's own outputs.

    python tests/interop/corpus.py --list
    python tests/interop/corpus.py [--real] [NAME ...]      builds what is missing in the cache

A case is built once and kept under $ETALON_CACHE (default ~/.cache/etalon/interop) in a folder whose name contains a
hash of the case's source and of torch's version: model.pt2, run<r>_in<i>.npy, run<r>_out<i>.npy, case.json and, with
--real, the real ExecuTorch's portable program real.pte. Several runs per case mean several calls in a row.
"""

import argparse
import hashlib
import inspect
import json
import os
import shutil
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "python"))

import numpy  # noqa: E402
import torch  # noqa: E402

import architectures  # noqa: E402
from registry import REGISTRY  # noqa: E402

_FORMAT = 4  # raise it when the layout of a cached folder changes


def cache_root():
    return Path(os.environ.get("ETALON_CACHE") or Path.home() / ".cache" / "etalon" / "interop")


@dataclass
class Case:
    """One cached case; `runs` are lists of (input paths, expected output paths)."""

    name: str
    folder: Path
    dtype: str
    runs: list = field(default_factory=list)

    @property
    def pt2(self):
        return self.folder / "model.pt2"

    def inputs(self, run):
        """The inputs, laid out in memory as the traced program wants them."""
        return [
            _laid_out(numpy.load(self.folder / name), order)
            for name, order in zip(self.runs[run]["inputs"], self.runs[run]["orders"])
        ]

    def input_paths(self, run):
        return [self.folder / name for name in self.runs[run]["inputs"]]

    def outputs(self, run):
        return [numpy.load(self.folder / name) for name in self.runs[run]["outputs"]]


def _laid_out(array, order):
    inverse = [order.index(d) for d in range(len(order))]
    return numpy.ascontiguousarray(array.transpose(order)).transpose(inverse)


def _order(tensor):
    """Dims from outermost to innermost in memory."""
    return sorted(range(tensor.dim()), key=lambda d: -tensor.stride(d))


def _digest(entry):
    text = entry.source or inspect.getsource(entry.build) + "".join(inspect.getsource(c) for c in entry.uses)
    text += f"{torch.__version__} {_FORMAT}"
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _flat(*trees):
    leaves = []
    for tree in trees:
        leaves += [leaf for leaf in torch.utils._pytree.tree_leaves(tree) if isinstance(leaf, torch.Tensor)]
    return leaves


def _as_array(tensor):
    tensor = tensor.detach().contiguous()
    return (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy()


def _save(folder, prefix, tensors):
    names = []
    for i, tensor in enumerate(tensors):
        names.append(f"{prefix}{i}.npy")
        numpy.save(folder / names[-1], _as_array(tensor))
    return names


def _write(entry, folder):
    torch.manual_seed(0)
    spec = entry.build()
    module = architectures.randomise_statistics(spec.module.eval())
    with torch.no_grad():
        program = torch.export.export(
            module, spec.args, spec.kwargs or None, dynamic_shapes=spec.dynamic_shapes
        )
        torch.export.save(program, folder / "model.pt2")
        runs = []
        for r, (args, kwargs) in enumerate(spec.all_runs()):
            tensors = _flat(args, kwargs)
            inputs = _save(folder, f"run{r}_in", tensors)
            outputs = _save(folder, f"run{r}_out", _flat(module(*args, **kwargs)))
            runs.append({"inputs": inputs, "orders": [_order(t) for t in tensors], "outputs": outputs})
    (folder / "case.json").write_text(json.dumps({"dtype": entry.dtype, "runs": runs}, indent=1))


def build(name):
    """Returns the registered case, from the cache or newly built."""
    return build_entry(REGISTRY[name])


def build_entry(entry):
    """Returns the case of an entry that need not be registered."""
    name = entry.name
    folder = cache_root() / f"{name}-{_digest(entry)}"
    if not (folder / "case.json").exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as part:
            _write(entry, Path(part))
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(part, folder)
    info = json.loads((folder / "case.json").read_text())
    return Case(name, folder, info["dtype"], info["runs"])


def _initial_state_kept(program):
    """ExecuTorch drops the initial values of mutated buffers unless this pass is asked to keep them."""
    from executorch.exir import ExecutorchBackendConfig
    from executorch.exir.passes.init_mutable_pass import InitializedMutableBufferPass

    names = [name for name, _ in program.named_buffers()]
    return (
        ExecutorchBackendConfig(passes=[InitializedMutableBufferPass(names)])
        if names
        else ExecutorchBackendConfig()
    )


def _lower(program, backend):
    from executorch.exir import to_edge, to_edge_transform_and_lower

    if backend == "portable":
        return to_edge(program, generate_etrecord=True)
    from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner

    return to_edge_transform_and_lower(program, partitioner=[XnnpackPartitioner()], generate_etrecord=True)


def real_program(case, backend="portable"):
    """The path of what the real ExecuTorch makes of the case, with <path>.etrecord beside it; slow the first time."""
    path = case.folder / ("real.pte" if backend == "portable" else f"real_{backend}.pte")
    if not path.exists():
        with torch.no_grad():
            program = torch.export.load(case.pt2)
            lowered = _lower(program, backend).to_executorch(_initial_state_kept(program))
        lowered.get_etrecord().save(f"{path}.etrecord")
        part = path.with_suffix(".part")
        part.write_bytes(lowered.buffer)
        os.replace(part, path)
    return path


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--real", action="store_true", help="also lower with the real ExecuTorch")
    parser.add_argument("names", nargs="*", metavar="NAME")
    args = parser.parse_args()
    failed = 0
    for name in args.names or sorted(REGISTRY):
        if args.list:
            print(f"{name:22} {REGISTRY[name].dtype:5} {REGISTRY[name].what}")
            continue
        try:
            case = build(name)
            if args.real and REGISTRY[name].real:
                real_program(case)
            print(f"{name}: {case.pt2.stat().st_size} bytes, {len(case.runs)} runs", flush=True)
        except Exception as error:
            failed += 1
            print(f"{name}: {type(error).__name__}: {str(error)[:600]}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
