"""Experiment files: what is wrong is found before anything runs, and named."""

import json
import random

import pytest
from checked_run import assert_ends_well, assert_refused, etalon

EXPERIMENT = {"name": "fast", "runs": 2, "warmup": 0}


@pytest.fixture
def profile(samples, tmp_path):
    """Runs `profile` on a configuration: text, bytes, or fields that change a good one."""

    def run(config=None, /, experiment=None, **fields):
        if config is None:
            config = {"model": str(samples.program), "output_root": str(tmp_path / "out")}
            config["experiments"] = [EXPERIMENT | (experiment or {})]
            config |= fields
            config = json.dumps(config)
        path = tmp_path / "config.json"
        path.write_bytes(config if isinstance(config, bytes) else config.encode())
        end = etalon("profile", path, "--quiet", cwd=tmp_path)
        if end.code == 2:
            assert not (tmp_path / "out").exists(), "something ran"
        return end

    return run


def test_a_good_configuration_runs(profile):
    end = profile()
    assert end.code == 0, end.err


@pytest.mark.parametrize(
    "fields, mentions",
    [
        ({"modle": "x"}, ["modle", "did you mean 'model'"]),
        ({"experimets": []}, ["experimets", "did you mean 'experiments'"]),
        ({"zzz": 1}, ["zzz", "known fields"]),
        ({"model": None}, ["model", "missing"]),
        ({"model": ""}, ["model", "missing"]),
        ({"model": 7}, ["model", "7", "text"]),
        ({"model": "absent.pte"}, ["model", "absent.pte", "no such file"]),
        ({"model": "/tmp"}, ["model", "/tmp"]),
        ({"experiments": None}, ["experiments", "missing"]),
        ({"experiments": []}, ["experiments", "empty"]),
        ({"experiments": {}}, ["experiments", "an object", "list"]),
        ({"experiments": [7]}, ["experiments[0]", "7", "object"]),
        ({"experiments": [EXPERIMENT, EXPERIMENT]}, ["experiments[1].name", "fast", "twice"]),
        ({"experiments": [{**EXPERIMENT, "name": f"e{i}"} for i in range(1001)]}, ["experiments", "1001", "limit"]),
        ({"design": "random"}, ["design", "random", "interleaved"]),
        ({"platform": "adb:123"}, ["platform", "adb:123"]),
        ({"output_root": 3}, ["output_root", "3"]),
        ({"analysis": []}, ["analysis"]),
        ({"analysis": {"compare_pair": []}}, ["compare_pair", "did you mean 'compare_pairs'"]),
        ({"analysis": {"compare_pairs": [{}]}}, ["compare_pairs[0].baseline", "missing"]),
        ({"analysis": {"compare_pairs": [{"baseline": {"experiment": "slow"}}]}}, ["slow", "fast"]),
        ({"analysis": {"categories": {"GEMM": "addmm"}}}, ["categories.GEMM", "list"]),
    ],
)
def test_a_wrong_field_is_named(profile, fields, mentions):
    assert_refused(profile(**fields), mentions=["config.json", *mentions])


@pytest.mark.parametrize(
    "experiment, mentions",
    [
        ({"name": None}, ["name", "missing"]),
        ({"name": "../../outside"}, ["name", "cannot name a folder"]),
        ({"name": ".."}, ["name", "cannot name a folder"]),
        ({"name": "/absolute"}, ["name", "cannot name a folder"]),
        ({"name": "x" * 101}, ["name", "cannot name a folder"]),
        ({"name": "line\nbreak"}, ["name", "cannot name a folder"]),
        ({"thread": [1]}, ["thread", "did you mean 'threads'"]),
        ({"mode": "fast"}, ["mode", "fast", "timing"]),
        ({"runs": 0}, ["runs", "0", "from 1"]),
        ({"runs": -5}, ["runs", "-5"]),
        ({"runs": 1.5}, ["runs", "1.5"]),
        ({"runs": 1e300}, ["runs"]),
        ({"runs": 18446744073709551616}, ["runs"]),
        ({"runs": "2"}, ["runs", "whole number"]),
        ({"num_runs": 2}, ["runs", "num_runs", "keep one"]),
        ({"threads": []}, ["threads", "empty"]),
        ({"threads": [1, 1]}, ["threads", "twice"]),
        ({"threads": [100000]}, ["threads[0]", "100000"]),
        ({"runner_path": "absent_runner"}, ["runner_path", "absent_runner", "no such runner"]),
        ({"runner_path": "/tmp"}, ["runner_path", "/tmp"]),
        ({"runner_path": __file__}, ["runner_path", "not executable"]),
        ({"runner_path": "/bin/true", "engine": "native"}, ["engine", "runner_path"]),
        ({"inputs": ["absent.npy"]}, ["inputs[0]", "absent.npy"]),
        ({"inputs": "x.npy"}, ["inputs", "list"]),
        ({"env": {"A": []}}, ["env.A"]),
        ({"extra_args": [1]}, ["extra_args[0]"]),
        ({"cpu_affinity": "-1"}, ["cpu_affinity", "mask"]),
        ({"cpu_affinity": "zz"}, ["cpu_affinity", "mask"]),
        ({"power": "max"}, ["power", "max"]),
        ({"power": "boost"}, ["power", "Android"]),
    ],
)
def test_a_wrong_setting_of_an_experiment_is_named(profile, experiment, mentions):
    assert_refused(profile(experiment=experiment), mentions=["config.json", *mentions])


NO_CONFIGURATIONS = {
    "nothing": "",
    "space": " ",
    "null": "null",
    "number": "7",
    "text": '"x"',
    "list": "[]",
    "half": "{",
    "field twice": '{"model": "a", "model": "b"}',
    "single quotes": "{'model': 1}",
    "not a number": '{"model": NaN}',
    "zero byte": "\x00",
    "UTF-16": b"\xff\xfe{}",
    "not UTF-8": b'{"model": "\xff"}',
    "half a surrogate": '{"model": "\\ud800"}',
    "deep list": "[" * 100_000,
    "deep object": '{"a":' * 100_000,
    "deep and closed": "[" * 100_000 + "]" * 100_000,
    "infinite": '{"model": 1e999}',
    "two values": '{"model": "x"} {}',
    "too large": '{"model": "' + "x" * (17 << 20) + '"}',
    "long name": '{"' + "k" * 100_000 + '": 1}',
}


@pytest.mark.parametrize("name", NO_CONFIGURATIONS)
def test_text_that_is_no_configuration_is_refused(profile, name):
    end = profile(NO_CONFIGURATIONS[name])
    assert_refused(end, mentions=["config.json"])
    assert len(end.err) < 1000


def test_flipped_bytes_of_a_configuration_are_survived(profile, samples):
    good = json.dumps({"model": str(samples.program), "experiments": [EXPERIMENT]}).encode()
    rng = random.Random("config")
    for _ in range(60):
        damaged = bytearray(good)
        damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        assert_ends_well(profile(bytes(damaged)))


def test_flags_of_a_model_are_refused_beside_a_configuration(samples, tmp_path):
    (tmp_path / "config.json").write_text("{}")
    assert_refused(etalon("profile", tmp_path / "config.json", "--runs", 3), mentions=["--runs"])


def test_only_must_name_experiments(samples, tmp_path):
    config = {"model": str(samples.program), "output_root": str(tmp_path / "out"), "experiments": [EXPERIMENT]}
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert_refused(etalon("profile", tmp_path / "config.json", "--only", "slow", cwd=tmp_path))


def results(folder):
    return json.loads((folder / "manifest.json").read_text())["results"]


def test_every_setting_reaches_the_runner(samples, profile, tmp_path):
    seen = tmp_path / "seen"
    runner = tmp_path / "runner"
    runner.write_text(f'#!/bin/sh\necho "$MARK $*" >> {seen}\n'
                      'for i in 1 2 3; do echo "I 00:00:00.000001 executorch:x.cpp:1] Iteration $i of 3: 1.5 ms" >&2; done\n')  # fmt: skip
    runner.chmod(0o755)
    end = profile(experiment={"runner_path": str(runner), "threads": [1, 2], "env": {"MARK": "set"}, "warmup": 1,
                              "extra_args": ["--method_name=forward"], "cpu_affinity": "0x1"})  # fmt: skip
    assert end.code == 0, end.err
    lines = seen.read_text().splitlines()
    assert {threads for threads in (1, 2) for line in lines if f"--cpu_threads={threads}" in line} == {1, 2}
    assert all(line.startswith("set ") and "--method_name=forward" in line for line in lines)
    found = {result["metrics"]["threads"]: result["metrics"] for result in results(tmp_path / "out")}
    for threads in (1, 2):
        assert found[threads]["latency_ms"] == [1.5, 1.5]
    assert found[1]["session"] == found[2]["session"]


@pytest.mark.parametrize("runs", [1, 5, 6, 17, 60, 101])
def test_exactly_as_many_runs_are_measured_as_were_asked_for(runs, samples, tmp_path):
    end = etalon("profile", samples.program, "--runs", runs, "--warmup", 3, "-o", tmp_path / "out", "--quiet",
                 cwd=tmp_path)  # fmt: skip
    assert end.code == 0, end.err
    (result,) = results(tmp_path / "out")
    metrics = result["metrics"]
    assert len(metrics["latency_ms"]) == metrics["runs"] == runs
    samples_file = json.loads((tmp_path / "out" / metrics["samples_rel"]).read_text())
    assert all(len(launch["warmup_ms"]) >= 3 for launch in samples_file["launches"])
    for name in ("cold_ms", "first_ms", "load_ms", "peak_rss_bytes", "baseline_rss_bytes", "planned_bytes"):
        assert metrics[name] > 0, name
    assert metrics["cold_ms"] >= metrics["load_ms"]
    assert metrics["peak_rss_bytes"] > metrics["baseline_rss_bytes"]


def test_on_and_off_are_one_command(samples, tmp_path):
    end = etalon("profile", samples.program, "--isa", "scalar,auto", "--runs", 60, "-o", tmp_path / "out", "--quiet",
                 cwd=tmp_path, seconds=30)  # fmt: skip
    assert end.code == 0, end.err
    off, on = results(tmp_path / "out")
    assert (off["experiment"], on["experiment"]) == ("scalar", "auto")
    assert off["isa"] == "scalar" != on["isa"]
    assert off["metrics"]["session"] == on["metrics"]["session"]
    assert off["metrics"]["traced_launch_runs"] == [10] * 6
    control = json.loads((tmp_path / "out" / off["metrics"]["control_rel"]).read_text())
    assert control["session"] == off["metrics"]["session"]
    assert [len(arm["launches"]) for arm in control["control"]] == [5, 5]
    assert etalon("validate", tmp_path / "out").code == 0


def test_an_engine_named_twice_is_refused(samples, tmp_path):
    end = etalon("profile", samples.program, "--engine", "native,native", cwd=tmp_path)
    assert_refused(end, mentions=["native is named twice"])
