"""etalon compare: programs that are measured together, runs that are on disk, and everything that cannot be compared."""

import json
import shutil
import signal
import time
from types import SimpleNamespace

import pytest
from checked_run import assert_refused, etalon, start, temporary_files

# Machines with other work take longer than the seconds that are asked for.
LIMIT = 120
QUICK = ("--seconds", 2, "--launches", 6)


def exported(folder, model, backend="xnnpack"):
    program = folder / f"{model}_{backend}.pte"
    done = etalon("export", f"zoo:{model}", "--backend", backend, "-o", program, seconds=LIMIT)
    assert done.code == 0, done.err
    return program


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("programs")
    again = folder / "again" / "toy_cnn_xnnpack.pte"
    again.parent.mkdir()
    shutil.copy(exported(folder, "toy_cnn"), again)
    return SimpleNamespace(
        delegated=folder / "toy_cnn_xnnpack.pte",
        portable=exported(folder, "toy_cnn", "portable"),
        again=again,
        other_inputs=exported(folder, "mobilenet_v3_small"),
    )


def compare_json(*args, code=0, **kwargs):
    end = etalon("compare", *args, "--json", seconds=LIMIT, **kwargs)
    assert end.code == code, end.err[-2000:]
    return json.loads(end.out)


def waterfall_sum(comparison):
    return sum(step["delta_ms"] for step in comparison["waterfall"])


@pytest.fixture(scope="module")
def scalar_against_best(programs, tmp_path_factory):
    """One comparison with an answer that is known: vectors against none, in the same program."""
    folder = tmp_path_factory.mktemp("compared")
    report = compare_json(programs.delegated, "--isa", "scalar,auto", *QUICK, "-o", folder)
    return SimpleNamespace(folder=folder, report=report, comparison=report["comparisons"][0])


def test_a_known_difference_is_found_with_an_interval(scalar_against_best):
    verdict = scalar_against_best.comparison["verdict"]
    assert verdict["claim"] == "faster"
    assert verdict["interleaved"]
    assert verdict["interval"][1] < 1
    assert scalar_against_best.comparison["baseline"] == "scalar"
    assert scalar_against_best.comparison["candidate"] == "auto"


def test_the_waterfall_leads_from_one_time_to_the_other(scalar_against_best):
    comparison = scalar_against_best.comparison
    difference = comparison["candidate_ms"] - comparison["baseline_ms"]
    assert waterfall_sum(comparison) == pytest.approx(difference, rel=1e-9, abs=1e-12)
    assert comparison["waterfall"][-1]["kind"] == "residual"
    kernels = [step for step in comparison["waterfall"] if step["kind"] == "kernel"]
    assert min(step["delta_ms"] for step in kernels) < 0


def test_operators_are_matched_and_judged(scalar_against_best):
    comparison = scalar_against_best.comparison
    assert comparison["matched_share"] == pytest.approx(1)
    assert comparison["kernels"]["changed"] > 0
    assert abs(comparison["operators"][0]["delta_ms"]) >= abs(comparison["operators"][-1]["delta_ms"])
    assert any("verdict" in operator for operator in comparison["operators"])


def test_both_compute_the_same(scalar_against_best):
    (output,) = scalar_against_best.comparison["outputs"]
    assert output["relative_to_peak"] < 1e-5
    assert output["same_top1"]


def test_the_folder_is_a_run_folder(scalar_against_best):
    end = etalon("validate", scalar_against_best.folder, seconds=LIMIT)
    assert end.code == 0, end.out
    assert temporary_files(scalar_against_best.folder) == []


def test_what_was_measured_is_not_measured_again(scalar_against_best, programs):
    before = time.monotonic()
    end = etalon(
        "compare", programs.delegated, "--isa", "scalar,auto", *QUICK, "-o", scalar_against_best.folder, "--json", seconds=LIMIT
    )
    assert "measured before" in end.err
    again = json.loads(end.out)["comparisons"][0]
    assert again["verdict"] == scalar_against_best.comparison["verdict"]
    assert again["waterfall"] == scalar_against_best.comparison["waterfall"]
    assert time.monotonic() - before < LIMIT / 2


def test_runs_of_the_folder_can_be_compared_again(scalar_against_best):
    folder = scalar_against_best.folder
    report = compare_json(f"{folder}#auto", f"{folder}#scalar@t1")
    comparison = report["comparisons"][0]
    assert comparison["verdict"]["claim"] == "slower"
    assert comparison["verdict"]["interleaved"]
    assert waterfall_sum(comparison) == pytest.approx(comparison["candidate_ms"] - comparison["baseline_ms"], rel=1e-9)


def test_slower_is_a_failure_where_it_is_asked_to_be(scalar_against_best):
    folder = scalar_against_best.folder
    slower = (f"{folder}#auto", f"{folder}#scalar")
    assert etalon("compare", *slower).code == 0
    assert etalon("compare", *slower, "--fail-if-slower").code == 1
    assert etalon("compare", *reversed(slower), "--fail-if-slower").code == 0


def test_the_terminal_begins_with_the_verdict(scalar_against_best):
    folder = scalar_against_best.folder
    end = etalon("compare", f"{folder}#scalar", f"{folder}#auto")
    first = end.out.splitlines()[0]
    assert "faster than" in first and "interval" in first and "launches" in first, first
    for heading in ("Categories", "From one time to the other", "Operators by their part", "Kernels:", "Memory, size"):
        assert heading in end.out


def test_graphs_that_differ_are_matched(programs, tmp_path):
    report = compare_json(programs.portable, programs.delegated, *QUICK, "-o", tmp_path / "out")
    comparison = report["comparisons"][0]
    assert comparison["matched_share"] > 0.9
    assert waterfall_sum(comparison) == pytest.approx(comparison["candidate_ms"] - comparison["baseline_ms"], rel=1e-9)
    assert comparison["outputs"][0]["relative_to_peak"] < 1e-5
    grouped = [op for op in comparison["operators"] if len(op["baseline_operators"]) > 1]
    assert grouped, "no activation was found to be fused into what it follows"


def test_one_program_under_two_names_differs_in_nothing_that_is_exact(programs, tmp_path):
    report = compare_json(programs.delegated, programs.again, *QUICK, "--no-trace", "-o", tmp_path / "out")
    comparison = report["comparisons"][0]
    assert comparison["outputs"][0]["max_abs"] == 0
    assert comparison["baseline"] != comparison["candidate"]
    assert "operators" not in comparison


def test_models_with_other_inputs_are_timed_and_no_more(programs, tmp_path):
    report = compare_json(programs.delegated, programs.other_inputs, *QUICK, "--no-trace", "-o", tmp_path / "out")
    comparison = report["comparisons"][0]
    assert comparison["verdict"]["claim"] == "slower"
    assert "outputs" not in comparison
    assert any("inputs differ" in note for note in comparison["notes"])


def test_several_factors_make_a_table(programs, tmp_path):
    report = compare_json(
        programs.delegated, "--isa", "scalar,auto", "--threads", "1,2", *QUICK, "--no-trace", "-o", tmp_path / "out"
    )
    assert len(report["comparisons"]) == 3
    table = report["table"]
    assert table["factors"] == ["isa", "threads"]
    assert len(table["cells"]) == 4
    assert etalon("validate", tmp_path / "out", seconds=LIMIT).code == 0


def test_a_recording_and_a_samples_file_are_enough(scalar_against_best, tmp_path):
    folder = scalar_against_best.folder
    (before,) = folder.glob("scalar/*.etdump")
    (after,) = folder.glob("auto/*.etdump")
    comparison = compare_json(before, after)["comparisons"][0]
    assert "verdict" not in comparison
    assert comparison["operators"]
    (before,) = folder.glob("scalar/*_samples.json")
    (after,) = folder.glob("auto/*_samples.json")
    comparison = compare_json(before, after, "-o", tmp_path / "out")["comparisons"][0]
    assert comparison["verdict"]["claim"] == "faster"
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"comparison.md", "comparison.html", "comparison.json"}


def test_a_model_beside_a_reference(programs, tmp_path):
    end = etalon(
        "compare", programs.delegated, "--reference", programs.other_inputs, *QUICK, "-o", tmp_path / "out", seconds=LIMIT
    )
    assert end.code == 0, end.err
    assert "GFLOP/s" in end.out and "Convolution" in end.out
    table = json.loads((tmp_path / "out" / "reference.json").read_text())
    rates = {row["category"]: row for row in table["categories"]}
    convolution = rates["Convolution"]["model"]
    assert convolution["gflops_per_second"] == pytest.approx(convolution["gflop"] / convolution["ms"] * 1e3)


def test_an_interrupted_comparison_goes_on(programs, tmp_path):
    command = ("compare", programs.delegated, programs.portable, "--seconds", 30, "--launches", 20, "--no-trace")
    process = start(*command, "-o", tmp_path / "out")
    session = tmp_path / "out" / "session_samples.json"
    deadline = time.monotonic() + LIMIT
    while not session.exists() or not json.loads(session.read_text())["arms"][0]["launches"]:
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    process.wait(LIMIT)
    kept = json.loads(session.read_text())["arms"][0]["launches"]
    assert temporary_files(tmp_path / "out") == []
    end = etalon(*command, "-o", tmp_path / "out", "--json", seconds=LIMIT)
    assert end.code == 0, end.err
    launches = json.loads(session.read_text())["arms"][0]["launches"]
    assert len(launches) == 20
    assert launches[: len(kept)] == kept


def test_a_run_that_does_not_exist_names_the_nearest(scalar_against_best):
    end = etalon("compare", f"{scalar_against_best.folder}#scaler", f"{scalar_against_best.folder}#auto")
    assert_refused(end, mentions=("scaler", 'did you mean "scalar"'))
    end = etalon("compare", f"{scalar_against_best.folder}#scalar@t7", f"{scalar_against_best.folder}#auto")
    assert_refused(end, mentions=("7 threads",))


def test_what_is_no_run_is_refused(scalar_against_best, programs, tmp_path):
    text = tmp_path / "notes.txt"
    text.write_text("no run")
    assert_refused(etalon("compare", text, text), mentions=("notes.txt", "neither"))
    assert_refused(etalon("compare", tmp_path / "none", tmp_path / "none"), mentions=("no such",))
    assert_refused(etalon("compare", tmp_path, tmp_path), mentions=("neither manifest.json",))
    broken = tmp_path / "broken.pte"
    broken.write_bytes(b"\x00" * 64)
    assert_refused(etalon("compare", programs.delegated, broken, cwd=tmp_path), mentions=("broken.pte",))
    samples = tmp_path / "a_samples.json"
    samples.write_text("{")
    assert_refused(etalon("compare", samples, samples), mentions=("a_samples.json",))


def test_programs_and_recordings_do_not_mix(scalar_against_best, programs):
    end = etalon("compare", programs.delegated, f"{scalar_against_best.folder}#auto")
    assert_refused(end, mentions=("is a program", "etalon profile"))


def test_nothing_to_compare_is_said(programs, samples, tmp_path):
    assert_refused(etalon("compare", programs.delegated, cwd=tmp_path), mentions=("two programs", "--isa"))
    assert_refused(etalon("compare", samples.run_dir), mentions=("one run",))
    assert_refused(etalon("compare", samples.run_dir, samples.run_dir, "--isa", "scalar"), mentions=("--isa",))
