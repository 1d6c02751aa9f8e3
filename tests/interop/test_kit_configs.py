"""Configurations of the Arm profiling kit work once the paths of the model and the runner are put in.

Each has exactly the fields that the kit's loader reads; the runner is ours under executor_runner's flags, or a script
that behaves as executor_runner does and leaves a recording of the real runtime.
"""

import copy
import csv
import json
import math
import shutil
from pathlib import Path

import etalon_program
import pytest

_HERE = Path(__file__).resolve().parent
_RUNS, _WARMUP = 5, 2
_MODEL = "toy_cnn_xnnpack_fp32"


def _experiment(name, mode="timing", runs=_RUNS, warmup=_WARMUP, threads=(1,), **more):
    own = {"name": name, "runner_path": "executorch/cmake-out/x/executor_runner", "mode": mode, "runs": runs}
    return own | {"warmup": warmup, "threads": list(threads)} | more


def _side(name, threads=1):
    return {"experiment": name, "threads": threads}


_CONFIGS = {
    "on_and_off": {
        "model": "out_toy/artifacts/toy.pte",
        "output_root": "out_toy/runs/mac",
        "experiments": [_experiment("mac_on"), _experiment("mac_off")],
        "analysis": {
            "compare_pairs": [
                {"label": "on_vs_off", "baseline": _side("mac_off"), "candidate": _side("mac_on")}
            ]
        },
    },
    "kernels_only": {
        "model": "out_toy/artifacts/toy.pte",
        "output_root": "out_toy/runs/mac_trace",
        "experiments": [
            _experiment("mac_on_trace", "xnntrace", 1, 0),
            _experiment("mac_off_trace", "xnntrace", 1, 0),
        ],
        "analysis": {"compare_pairs": []},
    },
    # The older spelling of the runner, no output folder, a CPU mask, several threads, both kinds of run.
    "android_like": {
        "model": "out_toy/artifacts/toy.pte",
        "experiments": [
            _experiment("big_core", threads=(1, 2), cpu_affinity="0x1", extra_args=["--print_output=none"]),
            _experiment("big_core_trace", "xnntrace", 1, 0),
        ],
        "analysis": {
            "compare_pairs": [
                {"label": "threads", "baseline": _side("big_core"), "candidate": _side("big_core", 2)}
            ]
        },
    },
}
for _old in _CONFIGS["android_like"]["experiments"]:
    _old["quiet_runner"] = _old.pop("runner_path")


def _own_runner():
    return etalon_program.find().parent / "etalon-runner"


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A program the name of which follows the kit's convention, in an `artifacts` folder."""
    path = tmp_path_factory.mktemp("kit") / f"out_toy_cnn/artifacts/{_MODEL}.pte"
    path.parent.mkdir(parents=True)
    etalon_program.run("export", "zoo:toy_cnn", "--backend", "portable", "-o", path)
    return path


@pytest.fixture(scope="module")
def scripted_runner(tmp_path_factory):
    """The script beside a recording that the real runtime made, with that recording's own times."""
    import corpus
    from real_runtime import inspect, record_etdump

    folder = tmp_path_factory.mktemp("runner")
    shutil.copy(_HERE / "kit_runner.py", folder / "executor_runner")
    case = corpus.build("squeeze_excite")
    program = corpus.real_program(case, "portable")
    recording = record_etdump(program, case.inputs(0), folder / "recorded.etdump", _RUNS + _WARMUP)
    (whole,) = [e for e in inspect(recording) if e.name == "Method::execute"]
    (folder / "recorded.json").write_text(json.dumps(list(whole.perf_data.raw)))
    return folder / "executor_runner"


@pytest.fixture(params=["own", "scripted"])
def runner(request):
    return _own_runner() if request.param == "own" else request.getfixturevalue("scripted_runner")


def _profiled(name, model, runner, folder):
    """Runs a configuration of which only the paths were changed; returns it and the folder with its results."""
    config = copy.deepcopy(_CONFIGS[name])
    config["model"] = str(model)
    for experiment in config["experiments"]:
        experiment["quiet_runner" if "quiet_runner" in experiment else "runner_path"] = str(runner)
    if "output_root" in config:
        results = folder / config["output_root"]
        config["output_root"] = str(results)
    else:
        results = model.parents[1] / "runs" / "linux"
        shutil.rmtree(results, ignore_errors=True)
    path = folder / "config.json"
    path.write_text(json.dumps(config, indent=2))
    etalon_program.run("profile", path, "--quiet")
    return config, results


def _json(path):
    return json.loads(path.read_text())


def _rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def _runs_of(config):
    for experiment in config["experiments"]:
        for threads in experiment["threads"]:
            yield experiment, threads, f"{experiment['name']}/{_MODEL}_{experiment['name']}_t{threads}"


def _check_timing(results, stem):
    assert Path(f"{results / stem}.etdump").stat().st_size > 0
    etalon_program.run_json("inspect", f"{results / stem}.etdump", "--json")
    samples = _json(Path(f"{results / stem}_samples.json"))
    assert samples["schema"]
    for kind in ("all_runs_timeline", "run0_timeline"):
        rows = _rows(Path(f"{results / stem}_exec_{kind}.csv"))
        assert rows and all(float(r["duration_ms"]) >= 0 for r in rows), kind
    assert _rows(Path(f"{results / stem}_exec_ops_stats.csv"))


def _check_metrics(metrics, experiment, threads, results):
    assert (metrics["runs"], metrics["warmup"], metrics["threads"]) == (_RUNS, _WARMUP, threads)
    latency = metrics["latency_ms"]
    assert len(latency) == _RUNS and min(latency) == metrics["min_ms"] and max(latency) == metrics["max_ms"]
    assert math.isclose(sum(latency) / _RUNS, metrics["mean_ms"], rel_tol=1e-9)
    for name in ("median_ms", "p95_ms", "stdev_ms", "cv_percent", "first_ms", "load_ms"):
        assert metrics[name] >= 0, name
    for name in ("etdump", "log"):
        assert (results / metrics[f"{name}_rel"]).is_file(), name


def _check_accounting(summary):
    assert summary["per_etdump"]
    for profile in summary["per_etdump"]:
        account = profile["accounting"]
        parts = account["operators_ms"] + account["framework_ms"] + account["residual_ms"]
        assert account["end_to_end_ms"] > 0
        assert math.isclose(parts, account["end_to_end_ms"], rel_tol=1e-9), account
        ours = [
            row
            for row in summary["operator_details"]
            if (row["experiment"], row["threads"]) == (profile["experiment"], profile["threads"])
        ]
        assert math.isclose(sum(r["avg_ms"] for r in ours), account["operators_ms"], rel_tol=1e-6), account


@pytest.mark.parametrize("name", list(_CONFIGS))
def test_every_file_of_a_run_is_there_and_adds_up(name, model, runner, tmp_path):
    config, results = _profiled(name, model, runner, tmp_path)
    manifest, metrics, summary = (
        _json(results / f"{n}.json") for n in ("manifest", "metrics", "analysis_summary")
    )
    assert (results / "report.md").read_text().strip()
    for document in (manifest, metrics, summary):
        assert "/" in document["schema"]
    assert manifest["generated_at"] and manifest["config"]["hash"] and manifest["device"] and manifest["tool"]
    assert manifest["model"]["size"] == model.stat().st_size
    assert metrics["results"] == manifest["results"]
    results_by_run = {(r["experiment"], r["metrics"]["threads"]): r["metrics"] for r in manifest["results"]}
    timings = 0
    for experiment, threads, stem in _runs_of(config):
        assert Path(f"{results / stem}.log").stat().st_size > 0
        if experiment["mode"] == "xnntrace":
            with Path(f"{results / stem}_kernels.csv").open(newline="") as file:
                assert "kernel_name" in next(csv.reader(file))
            continue
        timings += 1
        _check_timing(results, stem)
        _check_metrics(results_by_run[experiment["name"], threads], experiment, threads, results)
    assert summary["etdump_count"] == timings == len(summary["per_etdump"])
    for path in summary["csv_files"]:
        assert Path(path).is_file() or (results / path).is_file(), path
    if timings:
        _check_accounting(summary)
    assert len(summary["comparisons"]) == len(config["analysis"]["compare_pairs"])
    etalon_program.run("validate", results)


def test_an_html_report_is_there(model, tmp_path):
    _, results = _profiled("on_and_off", model, _own_runner(), tmp_path)
    assert "<html" in (results / "report.html").read_text().lower()


def test_latency_is_what_the_log_of_the_runner_says(model, scripted_runner, tmp_path):
    _, results = _profiled("on_and_off", model, scripted_runner, tmp_path)
    recorded = _json(scripted_runner.parent / "recorded.json")
    for result in _json(results / "metrics.json")["results"]:
        # The log has six decimals, and a foreign runner's first iterations are the warm-up.
        for ours, wanted in zip(result["metrics"]["latency_ms"], recorded[_WARMUP:], strict=True):
            assert ours == pytest.approx(wanted, abs=1e-6)


def test_kernels_are_read_from_the_log_of_the_runner(model, scripted_runner, tmp_path):
    _, results = _profiled("kernels_only", model, scripted_runner, tmp_path)
    rows = _rows(results / f"mac_on_trace/{_MODEL}_mac_on_trace_t1_kernels.csv")
    assert {r["kernel_name"] for r in rows} == {
        "xnn_f32_gemm_minmax_ukernel_16x4__neonsme2_mopa",
        "xnn_f32_igemm_minmax_ukernel_4x16__neonfma_ld64",
    }
    sme2 = {r["kernel_name"]: r["has_sme2"].lower() in ("1", "true", "yes") for r in rows}
    assert sorted(sme2.values()) == [False, True]
