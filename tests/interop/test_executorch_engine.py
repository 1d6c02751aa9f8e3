"""`--engine executorch`: the real runtime in our runner, held against the real runtime in Python."""

import json
import os

import numpy
import pytest

import corpus
import etalon_program
import real_runtime

RUNNER = etalon_program.find() and etalon_program.find().with_name("etalon-executorch-runner")
pytestmark = pytest.mark.skipif(
    not (RUNNER and os.access(RUNNER, os.X_OK)), reason="etalon-executorch-runner is not built: no ExecuTorch SDK was found"
)


@pytest.fixture(scope="module")
def delegated():
    """(case, program of the real exporter with XNNPACK delegates)"""
    case = corpus.build("squeeze_excite")
    return case, corpus.real_program(case, "xnnpack")


def test_outputs_are_those_of_the_real_runtime(delegated, tmp_path):
    case, program = delegated
    outputs = etalon_program.call(program, case.input_paths(0), tmp_path, engine="executorch")
    expected = real_runtime.RealProgram(program).call(case.inputs(0))
    for ours, real in zip(outputs, expected, strict=True):
        numpy.testing.assert_array_equal(ours, real)


def test_the_recording_holds_xnnpacks_own_events(delegated, tmp_path):
    case, program = delegated
    dump = tmp_path / "run.etdump"
    options = [word for path in case.input_paths(0) for word in ("--input", path)]
    etalon_program.run("run", program, "--engine", "executorch", "--warmup", "2", "--runs", "3", "--etdump", dump, *options)
    events = real_runtime.inspect(dump)
    assert any("GEMM" in event.name for event in events if event.is_delegated_op)
    # Warm-up is not recorded.
    executions = [event for event in events if event.name == "Method::execute"]
    assert [len(event.perf_data.raw) for event in executions] == [3]


def test_the_manifest_says_which_executorch_ran(delegated, tmp_path):
    _, program = delegated
    config = tmp_path / "config.json"
    config.write_text(json.dumps({
        "model": str(program), "output_root": str(tmp_path / "out"),
        "experiments": [{"name": "real", "engine": "executorch", "runs": 3, "warmup": 1}]}))
    etalon_program.run("profile", config)
    manifest = json.loads((tmp_path / "out/manifest.json").read_text())
    assert manifest["executorch"]["present"] is True
    assert manifest["executorch"]["version"].startswith("1.")
    summary = json.loads((tmp_path / "out/analysis_summary.json").read_text())
    assert any(row["delegated"] for row in summary["operator_details"])


def test_a_damaged_program_is_an_error_and_not_a_crash_of_ours(tmp_path):
    broken = tmp_path / "broken.pte"
    broken.write_bytes(b"\0" * 4096)
    etalon_program.run("run", broken, "--engine", "executorch", wanted=2)


def test_a_delegate_that_the_real_runtime_refuses_names_the_status(delegated, tmp_path):
    _, program = delegated
    data = bytearray(program.read_bytes())
    at = data.find(b"XH00")
    assert at > 0
    data[at : at + 4] = b"XH99"
    damaged = tmp_path / "damaged.pte"
    damaged.write_bytes(data)
    etalon_program.run("run", damaged, "--engine", "executorch", wanted=2)
