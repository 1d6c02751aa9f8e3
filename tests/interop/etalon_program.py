"""The built program `etalon`, driven the way a user does: only files and exit codes."""

import json
import os
import subprocess
from pathlib import Path

import numpy

_TIMEOUT_SECONDS = 300


class EtalonFailed(AssertionError):
    """A command that returned another exit code than wanted, with its output."""


def find():
    """Path of the program: $ETALON or build/release/bin of this repository; None when it is not built."""
    path = Path(os.environ.get("ETALON") or Path(__file__).resolve().parents[2] / "build/release/bin/etalon")
    return path if os.access(path, os.X_OK) else None


def run(*arguments, wanted=0):
    """Runs `etalon ARGUMENTS`; returns its stdout."""
    command = [str(find()), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_SECONDS)
    if done.returncode != wanted:
        text = (done.stderr.strip() or done.stdout.strip())[-3000:]
        raise EtalonFailed(f"{' '.join(command)}: exit code {done.returncode}, wanted {wanted}\n{text}")
    return done.stdout


def fail(*arguments):
    """Runs a command that must fail; returns its stderr."""
    command = [str(find()), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_SECONDS)
    if done.returncode == 0:
        raise EtalonFailed(f"{' '.join(command)}: succeeded, and should not")
    return done.stderr


def export(pt2, target, *options):
    run("export", pt2, "--backend", "portable", "-o", target, *options)
    return target


def _input_options(paths):
    return [word for path in paths for word in ("--input", path)]


def call(pte, input_paths, folder, *options, engine="portable"):
    """`etalon run`; returns the outputs as arrays."""
    run("run", pte, *_input_options(input_paths), "--output-dir", folder, "--engine", engine, *options)
    files = sorted(Path(folder).glob("*.npy"), key=lambda p: int(p.stem))
    return [numpy.load(f) for f in files]


def run_json(*arguments):
    """Runs a command that prints JSON on stdout."""
    text = run(*arguments)
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise EtalonFailed(
            f"etalon {' '.join(map(str, arguments))}: stdout is not JSON: {error}\n{text[:500]}"
        ) from error
