"""Samples that every test may read, and none may change."""

import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from checked_run import FORMATS, PROGRAM, environment  # noqa: E402


def _must(*args):
    done = subprocess.run([str(PROGRAM), *map(str, args)], capture_output=True, text=True, env=environment())
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="session")
def samples(tmp_path_factory):
    """A small program, its record, and the folder of a finished profile of it."""
    if not PROGRAM.exists():
        pytest.skip(f"{PROGRAM} is not built")
    folder = tmp_path_factory.mktemp("samples")
    program = folder / "toy.pte"
    _must("export", "zoo:toy_cnn", "-o", program)
    run_dir = folder / "profiled"
    _must("profile", program, "--runs", 4, "--warmup", 1, "-o", run_dir, "--quiet")
    return SimpleNamespace(program=program, record=folder / "toy.pte.etrecord", run_dir=run_dir, formats=FORMATS)


@pytest.fixture
def run_dir(samples, tmp_path):
    """A copy of the finished profile, to be damaged."""
    return Path(shutil.copytree(samples.run_dir, tmp_path / "run"))
