"""Every data type and scheme of the learning path, by every backend, of every zoo model: exported by one command, run by the
real ExecuTorch and by ours on the same input, and judged.

What the real runtime answers is kept in the corpus' cache folder under the program's hash, because its portable kernels need
minutes for large models; everything of ours is done anew each time.
"""

import hashlib
import importlib.metadata
import json
import os
import resource
import shutil
import signal
import subprocess
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy
import torch

import etalon_program
import zoo_data
from corpus import cache_root

SCHEMES = {
    "fp32": (),
    "fp16": ("--dtype", "fp16"),
    "int8 static, per channel": ("--dtype", "int8", "--quant", "static", "--granularity", "channel"),
    "int8 static, per tensor": ("--dtype", "int8", "--quant", "static", "--granularity", "tensor"),
    "int8 dynamic, per channel": ("--dtype", "int8", "--quant", "dynamic", "--granularity", "channel"),
    "int8 dynamic, per tensor": ("--dtype", "int8", "--quant", "dynamic", "--granularity", "tensor"),
}
BACKENDS = ("xnnpack", "portable")
TOO_SLOW_SECONDS = 600
_FORMAT = 1  # raise it when what is stored in the cache, or how it is made, changes

# Relative to the largest output. Float sums are taken in another order; half adds a rounding of 2^-11 per stored value, and an
# engine may keep float32 where the other stores half.
RELATIVE = {"fp32": 1e-5, "fp16": 2e-3}
# Of inputs, to see how much an answer of the real runtime hangs on last bits: for half, its last bit.
_CHANGE, _CHANGE_OF_HALF = 1e-6, 2.0**-11
_CHANGED_RUNS = 2
_LARGEST_HALF = 65504
OURS_ALONE = "ours alone is near PyTorch"


def models():
    return [row["name"] for row in zoo_data.rows()]


def runner():
    """The real runtime's runner beside the program `etalon`; None when it was not built."""
    program = etalon_program.find()
    path = program and program.with_name("etalon-executorch-runner")
    return path if path and os.access(path, os.X_OK) else None


@dataclass
class Cell:
    """One combination. `failed` says why there is nothing to judge; numbers that were not had are None."""

    model: str
    scheme: str
    backend: str
    failed: str = ""
    megabytes: float = None
    delegates: int = None
    outside: dict = field(default_factory=dict)  # operator -> count, of a delegating backend what stayed behind
    error: float = None  # largest difference of the engines over the largest output
    steps: int = None  # the same in quantisation steps, where outputs are quantised
    moved: float = None  # how far the real runtime's own outputs move, likewise relative
    snr_between: float = None
    snr_real: float = None  # against eager PyTorch in float32
    snr_ours: float = None
    error_ours: float = None  # largest difference of ours to eager, relative
    beyond_half: int = 0  # outputs that fp16 cannot hold, which are therefore left out
    verdict: str = ""

    @property
    def agrees(self):
        return self.verdict.startswith("agree")


class Reference:
    """A model's data and what eager PyTorch makes of the first evaluation sample."""

    def __init__(self, model):
        archive = (zoo_data.ZOO / zoo_data.row(model)["file"]).read_bytes()
        digest = hashlib.sha256(archive + f"{torch.__version__} {_FORMAT}".encode()).hexdigest()[:12]
        self.folder = cache_root() / f"matrix-{model}-{digest}"
        if not (self.folder / "eager0.npy").exists():
            _fill_folder(self.folder, lambda part: self._write(model, part))
        self.eager = _arrays(self.folder, "eager")

    @staticmethod
    def _write(model, folder):
        calibration, evaluation = zoo_data.data(model)
        numpy.save(folder / "calibration.npy", calibration)
        numpy.save(folder / "input.npy", evaluation[:1])
        module = torch.export.load(zoo_data.fill(model, folder / "model.pt2")).module()
        with torch.no_grad():
            outputs = torch.utils._pytree.tree_leaves(module(torch.from_numpy(evaluation[:1])))
        (folder / "model.pt2").unlink()
        for i, tensor in enumerate(outputs):
            numpy.save(folder / f"eager{i}.npy", tensor.numpy())

    def calibration(self):
        return self.folder / "calibration.npy"

    def input(self, change, half):
        """The input as float32, half or integers; number `change` above 0 differs in the last bits."""
        x = numpy.load(self.folder / "input.npy")
        if x.dtype.kind == "f" and change:
            noise = numpy.random.default_rng(change).uniform(-1, 1, x.shape)
            x = (x * (1 + (_CHANGE_OF_HALF if half else _CHANGE) * noise)).astype(x.dtype)
        return x.astype(numpy.float16) if half and x.dtype.kind == "f" else x


def _arrays(folder, prefix=""):
    paths = sorted(Path(folder).glob(f"{prefix}[0-9]*.npy"), key=lambda p: int(p.stem[len(prefix) :]))
    return [numpy.load(p) for p in paths]


def _fill_folder(folder, write):
    """The folder appears whole or not at all."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as part:
        write(Path(part))
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(part, folder)


def export(model, scheme, backend, target):
    """The one command; returns nothing, because every fact is read from the file it makes."""
    flags = list(SCHEMES[scheme])
    if "static" in flags:
        flags += ["--calib", Reference(model).calibration()]
    etalon_program.run("export", f"zoo:{model}", "--backend", backend, *flags, "--no-etrecord", "-q", "-o", target)


class RealAnswer:
    """What the real runtime makes of a program and its input; `failed` says why there are no `outputs`."""

    def __init__(self, program, reference, half, change=0):
        version = importlib.metadata.version("executorch")
        digest = hashlib.sha256(program.read_bytes())
        digest.update(reference.input(change, half).tobytes() + f"{version} {_FORMAT}".encode())
        folder = cache_root() / f"matrix-real-{digest.hexdigest()[:16]}"
        if not (folder / "said.json").exists():
            _fill_folder(folder, lambda part: self._write(program, reference.input(change, half), part))
        self.failed = json.loads((folder / "said.json").read_text())["failed"]
        self.outputs = _arrays(folder)

    @staticmethod
    def _write(program, array, folder):
        numpy.save(folder / "input.npy", array)
        command = [runner(), f"--model_path={program}", f"--inputs={folder / 'input.npy'}", f"--output_dir={folder}",
                   "--print_output=none", "--num_executions=1"]
        # Of the CPU and not of the clock, which a busy machine would stretch.
        limit = (TOO_SLOW_SECONDS, TOO_SLOW_SECONDS)
        done = subprocess.run(command, capture_output=True, text=True, check=False,
                              preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, limit))
        failed = ""
        if -done.returncode in (signal.SIGXCPU, signal.SIGKILL):
            failed = f"left out: the real runtime needs more than {TOO_SLOW_SECONDS // 60} minutes"
        elif done.returncode != 0:
            lines = [line for line in done.stderr.splitlines() if line.strip()] or [f"ended with {done.returncode}"]
            failed = f"real runtime: {lines[-1][-200:]}"
        (folder / "said.json").write_text(json.dumps({"failed": failed}))


def _relative(expected, actual):
    """The largest difference over the largest output. Infinite where one has infinity or NaN and the other has not the same."""
    worst = 0.0
    for e, a in zip(expected, actual, strict=True):
        e, a = e.astype(numpy.float64), a.astype(numpy.float64)
        finite = numpy.isfinite(e)
        if not numpy.array_equal(a[~finite], e[~finite], equal_nan=True) or not numpy.isfinite(a[finite]).all():
            return numpy.inf
        scale = max(float(numpy.abs(e[finite]).max(initial=0)), 1e-12)
        worst = max(worst, float(numpy.abs(a - e)[finite].max(initial=0)) / scale)
    return worst


def _quantum(*arrays):
    """The step that all values are multiples of, if they are int8 codes turned to floats; else None."""
    values = numpy.unique(numpy.concatenate([a.ravel() for a in arrays]).astype(numpy.float64))
    if len(values) < 2 or len(values) > 256:
        return None
    step = numpy.diff(values)
    step = step[step > 1e-6 * numpy.abs(values).max()]
    for divisor in range(1, 9):
        quantum = float(step.min()) / divisor
        codes = values / quantum
        if numpy.abs(codes - numpy.round(codes)).max() < 2e-2 and numpy.ptp(codes) < 255.5:
            return quantum
    return None


def _steps(expected, actual):
    """The largest difference in steps; None where an output is not quantised."""
    worst = 0
    for e, a in zip(expected, actual, strict=True):
        quantum = _quantum(e, a)
        if quantum is None:
            return None
        worst = max(worst, round(float(numpy.abs(a.astype(numpy.float64) - e).max()) / quantum))
    return worst


def _total_snr(reference, actual):
    """Of the worst output; None where one is not finite."""
    if not all(numpy.isfinite(x).all() for x in (*reference, *actual)):
        return None
    return min(zoo_data.snr(r, a.astype(numpy.float64)) for r, a in zip(reference, actual, strict=True))


def judge(cell, moved):
    """The verdict, from the numbers alone; `moved` is called when it is wanted, because it takes another run."""
    int8 = cell.scheme not in RELATIVE
    if int8 and cell.steps is not None and cell.steps <= 1:
        return "agree: equal" if cell.error == 0 else "agree: one step"
    if cell.error <= RELATIVE["fp32" if int8 else cell.scheme]:
        return "agree"
    if cell.scheme == "fp32" or not numpy.isfinite(cell.error):
        return f"differ by {cell.error:.1e}"
    # A sum taken in another order moves a value over the edge between two codes (or two halves), and that step grows like every
    # other error. The real runtime moves as far when its input is rounded otherwise; more than twice as far is another matter.
    cell.moved = moved()
    if cell.moved is not None and cell.error <= 2 * cell.moved:
        return "agree: as the real runtime with itself"
    # Integers cannot be changed a little. Two engines that round independently are 3 dB further from each other than either is
    # from float.
    if cell.moved is None and cell.snr_between is not None and cell.snr_between >= min(cell.snr_real, cell.snr_ours) - 3:
        return "agree: as each with float"
    # ExecuTorch's portable kernels add up in half where ours do it in float32, so that ours is the one beside PyTorch's answer.
    if cell.scheme == "fp16" and cell.error_ours <= RELATIVE["fp16"] and cell.snr_ours > (cell.snr_real or -numpy.inf):
        return OURS_ALONE
    return f"differ by {cell.error:.1e}" + (f", {cell.steps} steps" if cell.steps is not None else "")


def _facts(program, cell):
    method = etalon_program.run_json("inspect", program, "--json")["methods"][0]
    counts = Counter(method["operators"])
    cell.delegates = sum(n for name, n in counts.items() if name.startswith("delegate "))
    cell.outside = {name: n for name, n in counts.items() if not name.startswith("delegate ")}
    cell.megabytes = program.stat().st_size / 1e6
    return method["inputs"][0].startswith("f16")


def measure(model, scheme, backend, folder):
    """Exports, runs twice, judges. `folder` gets the program and our outputs."""
    cell, program = Cell(model, scheme, backend), Path(folder) / "model.pte"
    try:
        reference = Reference(model)
        export(model, scheme, backend, program)
        half = _facts(program, cell)
        x = reference.input(0, half)
        real = RealAnswer(program, reference, half)
        if real.failed:
            cell.failed = real.failed
            return cell
        numpy.save(Path(folder) / "input.npy", x)
        ours = etalon_program.call(program, [Path(folder) / "input.npy"], Path(folder) / "out", engine="native")
    except (etalon_program.EtalonFailed, subprocess.TimeoutExpired) as error:
        cell.failed = str(error).strip().splitlines()[-1][-200:]
        return cell
    kept = [i for i, e in enumerate(reference.eager) if not half or numpy.abs(e).max(initial=0) <= _LARGEST_HALF]
    cell.beyond_half = len(ours) - len(kept)
    theirs, ours, eager = ([arrays[i] for i in kept] for arrays in (real.outputs, ours, reference.eager))
    cell.error = _relative(theirs, ours)
    cell.steps = _steps(theirs, ours) if "int8" in scheme else None
    cell.snr_between = _total_snr(theirs, ours)
    cell.snr_real, cell.snr_ours = _total_snr(eager, theirs), _total_snr(eager, ours)
    cell.error_ours = _relative(eager, ours)
    cell.verdict = judge(cell, lambda: _movement(program, reference, half, real, kept, cell.error / 2))
    return cell


def _movement(program, reference, half, real, kept, enough):
    """How far the real runtime's outputs go when its input is rounded otherwise, in as many draws as it takes to go as far as
    `enough`; None where that cannot be had."""
    if reference.input(0, half).dtype.kind != "f":
        return None
    worst = None
    for draw in range(1, _CHANGED_RUNS + 1):
        changed = RealAnswer(program, reference, half, draw)
        if changed.failed:
            break
        worst = max(worst or 0.0, _relative([real.outputs[i] for i in kept], [changed.outputs[i] for i in kept]))
        if worst >= enough:
            break
    return worst
