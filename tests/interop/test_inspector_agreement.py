"""Our operator averages of a real recording are those of the real Inspector."""

import math

import pytest

pytest.importorskip("torch", reason="interop tests skipped: torch is not installed")

import corpus
import etalon_program

_CASES = ["squeeze_excite", "mobilenet_v3_small"]


def _both_views(name, calls, folder):
    """What ours and theirs say of one recording: the profile, and the operators of each in order of execution."""
    from real_runtime import inspect, record_etdump

    case = corpus.build(name)
    pte = corpus.real_program(case, "portable")
    etdump = record_etdump(pte, case.inputs(0), folder / "real.etdump", calls)
    summary = etalon_program.run_json("analyze", etdump, "--etrecord", f"{pte}.etrecord", "--json")
    ours = sorted(summary["operator_details"], key=lambda row: row["instruction"])
    events = [e for e in inspect(etdump, f"{pte}.etrecord") if e.name.startswith("native_call_")]
    theirs = sorted(events, key=lambda event: event.start_time[0])
    assert [row["name"] for row in ours] == [event.name for event in theirs]
    (profile,) = summary["per_etdump"]
    return profile, ours, theirs


@pytest.mark.parametrize("name", _CASES)
def test_averages_of_one_run_are_the_inspectors(name, tmp_path):
    profile, ours, theirs = _both_views(name, 1, tmp_path)
    assert (profile["cold_runs"], profile["steady_runs"]) == (0, 1)
    for row, event in zip(ours, theirs, strict=True):
        assert math.isclose(row["avg_ms"], event.perf_data.avg, rel_tol=1e-9, abs_tol=1e-12), row


@pytest.mark.parametrize("name", _CASES)
def test_averages_of_many_runs_are_the_inspectors_without_the_cold_ones(name, tmp_path):
    profile, ours, theirs = _both_views(name, 5, tmp_path)
    cold = profile["cold_runs"]
    assert cold + profile["steady_runs"] == 5 and profile["steady_runs"] >= 1
    for row, event in zip(ours, theirs, strict=True):
        steady = event.perf_data.raw[cold:]
        assert math.isclose(row["avg_ms"], sum(steady) / len(steady), rel_tol=1e-9, abs_tol=1e-12), row


def test_operators_sum_to_what_the_inspectors_sum_to(tmp_path):
    profile, _, theirs = _both_views("mobilenet_v3_small", 5, tmp_path)
    steady = [sum(event.perf_data.raw[profile["cold_runs"] :]) / profile["steady_runs"] for event in theirs]
    assert math.isclose(profile["accounting"]["operators_ms"], sum(steady), rel_tol=1e-9)
