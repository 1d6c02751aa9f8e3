"""Every architecture of the corpus: exported by us, run by the real ExecuTorch and by us, against PyTorch eager."""

import pytest

pytest.importorskip("torch", reason="interop tests skipped: torch is not installed")

import corpus
import etalon_program
from compare import assert_close
from registry import REGISTRY

_STATELESS = sorted(name for name in REGISTRY if name != "buffer_mutation")
_REAL = sorted(name for name in _STATELESS if REGISTRY[name].real)


@pytest.mark.parametrize("name", _STATELESS)
def test_our_program_runs_in_the_real_executorch(name, exported):
    from real_runtime import RealProgram

    case, pte = exported(name)
    program = RealProgram(pte)
    for run in range(len(case.runs)):
        assert_close(program.call(case.inputs(run)), case.outputs(run), case.dtype, f"{name}, run {run}")


@pytest.mark.parametrize("name", _STATELESS)
def test_our_program_runs_in_our_runtime(name, exported, tmp_path):
    case, pte = exported(name)
    for run in range(len(case.runs)):
        outputs = etalon_program.call(pte, case.input_paths(run), tmp_path / str(run))
        assert_close(outputs, case.outputs(run), case.dtype, f"{name}, run {run}")


@pytest.mark.parametrize("name", _REAL)
def test_real_portable_program_runs_in_our_runtime(name, tmp_path):
    from real_runtime import RealProgram

    case = corpus.build(name)
    pte = corpus.real_program(case)
    for run in range(len(case.runs)):
        real = RealProgram(pte).call(case.inputs(run))
        outputs = etalon_program.call(pte, case.input_paths(run), tmp_path / str(run))
        assert_close(outputs, real, case.dtype, f"{name}, run {run}, against the real runtime")
        assert_close(outputs, case.outputs(run), case.dtype, f"{name}, run {run}, against eager")
