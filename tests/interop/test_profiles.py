"""Profiles cross both ways: ours open in the real Inspector, the real ones open in `etalon`."""

import pytest

pytest.importorskip("torch", reason="interop tests skipped: torch is not installed")

import corpus
import etalon_program

_CASES = ["squeeze_excite", "mobilenet_v3_small", "gpt"]
_RUNS = 3


def _operator_events(events):
    return [e for e in events if e.name.startswith("native_call_")]


@pytest.mark.parametrize("name", _CASES)
def test_our_etdump_and_etrecord_open_in_the_real_inspector(name, exported, tmp_path):
    from real_runtime import inspect

    case, pte = exported(name)
    etdump = tmp_path / "run.etdump"
    etalon_program.call(
        pte, case.input_paths(0), tmp_path / "out", "--runs", _RUNS, "--warmup", 0, "--etdump", etdump
    )
    operators = _operator_events(inspect(etdump, f"{pte}.etrecord"))
    assert operators, "no native_call_ event in the Execute block"
    for event in operators:
        assert len(event.perf_data.raw) == _RUNS, (
            f"{event.name}: {len(event.perf_data.raw)} times, wanted {_RUNS}"
        )
        assert all(t >= 0 for t in event.perf_data.raw)
    typed = [e for e in operators if e.op_types]
    placed = [e for e in operators if any('File "' in s for s in (e.stack_traces or {}).values())]
    assert len(typed) >= 0.9 * len(operators), (
        f"only {len(typed)} of {len(operators)} operators have op types"
    )
    assert len(placed) >= 0.9 * len(operators), (
        f"only {len(placed)} of {len(operators)} operators have source lines"
    )


def test_our_etdump_opens_without_an_etrecord(exported, tmp_path):
    from real_runtime import inspect

    case, pte = exported("squeeze_excite")
    etdump = tmp_path / "run.etdump"
    etalon_program.call(
        pte, case.input_paths(0), tmp_path / "out", "--runs", 1, "--warmup", 0, "--etdump", etdump
    )
    names = [e.name for e in inspect(etdump)]
    assert "Method::execute" in names and any(n.startswith("native_call_convolution") for n in names), names


def _real_profile(name, backend, folder):
    from real_runtime import record_etdump

    case = corpus.build(name)
    pte = corpus.real_program(case, backend)
    return record_etdump(pte, case.inputs(0), folder / "real.etdump", _RUNS), f"{pte}.etrecord", pte


@pytest.mark.parametrize("backend", ["portable", "xnnpack"])
@pytest.mark.parametrize("name", _CASES[:2])
def test_inspect_opens_real_files(name, backend, tmp_path):
    for file in _real_profile(name, backend, tmp_path):
        description = etalon_program.run_json("inspect", file, "--json")
        assert isinstance(description, dict) and description, file
        assert etalon_program.run("inspect", file).strip(), file


@pytest.mark.parametrize("backend", ["portable", "xnnpack"])
@pytest.mark.parametrize("name", _CASES[:2])
def test_analyze_agrees_with_the_real_inspector(name, backend, tmp_path):
    from real_runtime import inspect

    etdump, etrecord, _ = _real_profile(name, backend, tmp_path)
    summary = etalon_program.run_json("analyze", etdump, "--etrecord", etrecord, "--json")
    ours = summary["operator_details"]
    wanted = _operator_events(inspect(etdump, etrecord))
    found = [row for row in ours if not row.get("delegated")]
    assert sum(row["calls"] for row in found) in (len(wanted), len(wanted) * _RUNS)
    assert any(row.get("source") for row in ours), "no row has a source line"
    for row in ours:
        assert row["avg_ms"] >= 0 and row["name"] and row["category"]


def test_a_damaged_etdump_is_refused_in_one_line(exported, tmp_path):
    broken = tmp_path / "broken.etdump"
    broken.write_bytes(b"\x40\x00\x00\x00ED00" + bytes(range(56)))
    etalon_program.run("analyze", broken, wanted=2)
