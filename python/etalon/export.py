"""Saves a registered model as .pt2 and has the C++ program `etalon` export it.

    python -m etalon.export --list
    python -m etalon.export --model mobilenet_v3_small --outdir out
    python -m etalon.export --model my_net --models-dir my_models --dtype fp16 --backend xnnpack --outdir out

Exit codes are those of `etalon`: 0 done, 2 wrong usage or a model that cannot be had, else what `etalon` returned.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from etalon.model import ModelError, all_models, get_model, load_models_dir

_DTYPES = ("fp32", "fp16")
_BACKENDS = ("xnnpack", "portable")


def find_etalon():
    """Path of the C++ program: $ETALON, then PATH, then build/release/bin of the repository around this package."""
    named = os.environ.get("ETALON")
    if named:
        if not os.access(named, os.X_OK):
            raise ModelError(f"$ETALON names {named}, which is not an executable file")
        return named
    built = Path(__file__).resolve().parents[2] / "build" / "release" / "bin" / "etalon"
    found = shutil.which("etalon")
    # An entry point of a Python environment could shadow the program; it is a script, the program is not.
    if found and Path(found).read_bytes()[:2] != b"#!":
        return found
    if os.access(built, os.X_OK):
        return str(built)
    raise ModelError(
        "the program etalon was not found in $ETALON, PATH or build/release/bin: run ./dev build, "
        "or pass --pt2-only to stop after the .pt2"
    )


def _cast(inputs, dtype):
    import torch
    from torch.utils import _pytree

    def to_dtype(leaf):
        return leaf.to(dtype) if isinstance(leaf, torch.Tensor) and leaf.is_floating_point() else leaf

    return _pytree.tree_map(to_dtype, inputs)


def _with_dynamic_batch(args, maximum):
    """Two rows per input, so that tracing does not specialise on a batch of one, and a symbolic first dimension."""
    import torch

    batch = torch.export.Dim("batch", min=1, max=maximum)
    args = tuple(torch.cat([a, a]) for a in args)
    return args, tuple({0: batch} for _ in args)


def trace(definition, module, dtype="fp32", dynamic_batch=None):
    """`torch.export.export` of the module in evaluation mode; non-strict first, strict when that fails."""
    import torch

    args, kwargs = definition.get_example_inputs(), definition.get_example_kwargs()
    shapes = definition.get_dynamic_shapes()
    if dtype == "fp16":
        module, args, kwargs = module.half(), _cast(args, torch.half), _cast(kwargs, torch.half)
    if dynamic_batch:
        args, shapes = _with_dynamic_batch(args, dynamic_batch)
    failures = []
    for strict in (False, True):
        try:
            with torch.no_grad():
                return torch.export.export(
                    module.eval(), args, kwargs or None, dynamic_shapes=shapes, strict=strict
                )
        except Exception as error:
            failures.append(f"{type(error).__name__}: {str(error).strip().splitlines()[0]}")
    raise ModelError(f"torch.export failed: {failures[0]} (strict mode: {failures[1]})")


def save_pt2(program, path):
    """Writes the archive under a temporary name and renames it, so that nobody sees half a file."""
    import torch

    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        part = (
            Path(folder) / path.name
        )  # the stem becomes the archive's root folder, so the name must be right
        torch.export.save(program, part)
        os.replace(part, path)


def build_pt2(name, path, dtype="fp32", seed=0, dynamic_batch=None, weightless=False):
    """Builds, traces and saves the model called `name`; returns its definition."""
    import torch

    definition = get_model(name)
    torch.manual_seed(seed)
    program = trace(definition, definition.get_eager_model(), dtype, dynamic_batch)
    if weightless:
        from etalon.archive import strip

        with tempfile.TemporaryDirectory() as folder:
            full = Path(folder) / Path(path).name
            save_pt2(program, full)
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            strip(full, path)
    else:
        save_pt2(program, path)
    return definition


def _print_models():
    for name, definition in all_models():
        weights = "trained" if definition.trained else "random weights"
        print(f"{name:24} {weights:15} {definition.description}")


def _parse(argv):
    parser = argparse.ArgumentParser(prog="python -m etalon.export", description=__doc__.splitlines()[0])
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--model", metavar="NAME", help="the model to export")
    what.add_argument("--list", action="store_true", help="list the models and stop")
    parser.add_argument("--dtype", choices=_DTYPES, default="fp32")
    parser.add_argument("--backend", choices=_BACKENDS, default="xnnpack")
    parser.add_argument("--outdir", type=Path, default=Path("."), metavar="DIR")
    parser.add_argument(
        "--models-dir", type=Path, metavar="DIR", help="a folder with model folders of your own"
    )
    parser.add_argument("--seed", type=int, default=0, help="seed of random weights and example inputs")
    parser.add_argument("--weightless", action="store_true", help="leave the weights out of the .pt2")
    parser.add_argument("--pt2-only", action="store_true", help="stop after the .pt2")
    parser.add_argument("--dynamic-batch", type=int, metavar="MAX", help="symbolic batch of 1 .. MAX")
    args = parser.parse_args(argv)
    if args.dynamic_batch is not None and args.dynamic_batch < 2:
        parser.error(f"--dynamic-batch is {args.dynamic_batch}, wanted at least 2")
    return args


def _export(args):
    get_model(args.model)
    etalon = None if args.pt2_only else find_etalon()  # both before the slow part
    path = args.outdir / f"{args.model}.pt2"
    definition = build_pt2(args.model, path, args.dtype, args.seed, args.dynamic_batch, args.weightless)
    kind = (
        "no weights"
        if args.weightless
        else "trained weights"
        if definition.trained
        else f"random weights, seed {args.seed}"
    )
    print(f"{path}: {kind}")
    if etalon is None:
        return 0
    command = [
        etalon,
        "export",
        str(path),
        "--backend",
        args.backend,
        "--dtype",
        args.dtype,
        "--outdir",
        str(args.outdir),
    ]
    code = subprocess.run(command).returncode
    return code if code >= 0 else 4


def main(argv=None):
    args = _parse(argv)
    try:
        if args.models_dir:
            load_models_dir(args.models_dir)
        if args.list:
            _print_models()
            return 0
        return _export(args)
    except ModelError as error:
        print(f"etalon.export: {error}", file=sys.stderr)
    except ModuleNotFoundError as error:
        print(
            f"etalon.export: the package {error.name} is not installed: "
            "pip install torch --index-url https://download.pytorch.org/whl/cpu"
            if error.name == "torch"
            else f"etalon.export: {error}",
            file=sys.stderr,
        )
    except OSError as error:
        print(f"etalon.export: {error}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
