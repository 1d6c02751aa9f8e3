"""Our operator averages of a real recording are those of the real Inspector, also inside of delegates, where the Inspector
cannot tell what an event stands for and we can."""

import math
import os
import subprocess

import pytest

pytest.importorskip("torch", reason="interop tests skipped: torch is not installed")

import corpus
import etalon_program

_CASES = ["squeeze_excite", "mobilenet_v3_small"]

# The Inspector subtracts times since the machine started, in milliseconds: 1e8 of them (a day) are known to 1.5e-8.
_CLOCK = 2e-8


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
        assert math.isclose(row["avg_ms"], event.perf_data.avg, rel_tol=1e-9, abs_tol=_CLOCK), row


@pytest.mark.parametrize("name", _CASES)
def test_averages_of_many_runs_are_the_inspectors_without_the_cold_ones(name, tmp_path):
    profile, ours, theirs = _both_views(name, 5, tmp_path)
    cold = profile["cold_runs"]
    assert cold + profile["steady_runs"] == 5 and profile["steady_runs"] >= 1
    for row, event in zip(ours, theirs, strict=True):
        steady = event.perf_data.raw[cold:]
        assert math.isclose(row["avg_ms"], sum(steady) / len(steady), rel_tol=1e-9, abs_tol=_CLOCK), row


def test_operators_sum_to_what_the_inspectors_sum_to(tmp_path):
    profile, _, theirs = _both_views("mobilenet_v3_small", 5, tmp_path)
    steady = [sum(event.perf_data.raw[profile["cold_runs"] :]) / profile["steady_runs"] for event in theirs]
    assert math.isclose(profile["accounting"]["operators_ms"], sum(steady), rel_tol=1e-9)


_DELEGATED = ["squeeze_excite", "mobilenet_v2", "mobilenet_v3_small"]


def _record_in_process(pte, case, path, calls):
    from real_runtime import record_etdump

    return record_etdump(pte, case.inputs(0), path, calls)


def _record_with_our_runner(pte, case, path, calls):
    runner = etalon_program.find().with_name("etalon-executorch-runner")
    if not os.access(runner, os.X_OK):
        pytest.skip("etalon-executorch-runner is not built: no ExecuTorch SDK was found")
    command = [runner, "--model_path", pte, "--num_executions", str(calls), "--etdump_path", path, "--trace", "ops"]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    return path


def _both_views_of_delegates(name, record, calls, folder):
    from real_runtime import inspect

    case = corpus.build(name)
    pte = corpus.real_program(case, "xnnpack")
    etdump = record(pte, case, folder / "real.etdump", calls)
    summary = etalon_program.run_json("analyze", etdump, "--model", pte, "--etrecord", f"{pte}.etrecord", "--json")
    events = inspect(etdump, f"{pte}.etrecord")
    return summary, [e for e in events if e.is_delegated_op], [e for e in events if e.name.startswith("native_call_")]


def _key(row):
    return row["instruction"], row["name"]


@pytest.mark.parametrize("record", [_record_in_process, _record_with_our_runner])
@pytest.mark.parametrize("name", _DELEGATED)
def test_operators_of_delegates_are_the_inspectors(name, record, tmp_path):
    calls = 6
    summary, delegated, kernels = _both_views_of_delegates(name, record, calls, tmp_path)
    (profile,) = summary["per_etdump"]
    cold = profile["cold_runs"]
    assert cold + profile["steady_runs"] == calls
    ours = {_key(row): row for row in summary["operator_details"]}
    theirs = {(event._instruction_id, event.name): event for event in delegated + kernels}
    assert ours.keys() == theirs.keys()
    for key, event in theirs.items():
        steady = sorted(event.perf_data.raw[cold:])
        median = (steady[(len(steady) - 1) // 2] + steady[len(steady) // 2]) / 2
        assert math.isclose(ours[key]["traced_avg_ms"], sum(steady) / len(steady), rel_tol=1e-9, abs_tol=_CLOCK), key
        assert math.isclose(ours[key]["median_ms"], median, rel_tol=1e-9, abs_tol=_CLOCK), key


# Of a tiny model every operator may take less than one tick, and then nothing tells which clock it was.
@pytest.mark.parametrize("name", _DELEGATED[1:])
def test_times_of_delegates_are_whole_microseconds_and_said_to_be(name, tmp_path):
    summary, _, _ = _both_views_of_delegates(name, _record_in_process, 3, tmp_path)
    assert any("whole microseconds" in note for note in summary["notes"])
    for row in summary["operator_details"]:
        assert row.get("below_resolution", False) == (row["delegated"] and row["traced_avg_ms"] < 0.020), row["name"]


@pytest.mark.parametrize("name", _DELEGATED)
def test_every_operator_of_a_delegate_maps_to_the_program(name, tmp_path):
    summary, delegated, _ = _both_views_of_delegates(name, _record_in_process, 2, tmp_path)
    rows = [row for row in summary["operator_details"] if row["delegated"]]
    assert len(rows) == len(delegated) > 0
    assert not [row["name"] for row in rows if "unmapped" in row]
    assert all(row["bytes"] > 0 for row in rows)
    assert all(row["shape"] for row in rows)


def test_operators_of_a_delegate_are_traced_back_to_the_line_of_the_model(tmp_path):
    summary, delegated, _ = _both_views_of_delegates("mobilenet_v2", _record_in_process, 2, tmp_path)
    rows = [row for row in summary["operator_details"] if row["delegated"]]
    placed = [row for row in rows if "source" in row]
    # Only the two layout changes that lowering adds come from no line of the model.
    assert {row["name"].split(" (")[0] for row in rows if "source" not in row} <= {"Transpose"}
    assert len(placed) >= 0.95 * len(rows)
    for row in placed:
        if row["op_type"] == "aten.convolution.default":
            assert row["source"]["module_type"].endswith("Conv2d"), row
            assert row["flops"] > 0
    modules = [row["source"]["module"] for row in placed if row["op_type"] == "aten.convolution.default"]
    assert len(set(modules)) == len(modules) == 52
    # The Inspector alone has nothing for them.
    assert not any(event.stack_traces for event in delegated)
