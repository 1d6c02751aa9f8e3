"""Runners that fail, sessions that are interrupted, disks that are full: what finished is kept."""

import json
import os
import signal
import time

import pytest
from checked_run import PROGRAM, assert_refused, etalon, start, temporary_files

OWN_RUNNER = PROGRAM.with_name("etalon-runner")


def script(path, body):
    path.write_text("#!/bin/sh\n" + body)
    path.chmod(0o755)
    return str(path)


@pytest.fixture
def profile(samples, tmp_path):
    def run(experiments, *flags, **kwargs):
        config = {"model": str(samples.program), "output_root": str(tmp_path / "out"), "experiments": experiments}
        (tmp_path / "config.json").write_text(json.dumps(config))
        return etalon("profile", tmp_path / "config.json", "--quiet", *flags, cwd=tmp_path, **kwargs)

    return run


GOOD = {"name": "good", "runs": 2, "warmup": 0}


def results(folder):
    manifest = json.loads((folder / "manifest.json").read_text())
    return {result["experiment"]: result for result in manifest["results"]}


def assert_good_is_kept(folder):
    good = results(folder)["good"]
    assert good["metrics"]["median_ms"] > 0
    assert list((folder / "good").glob("*_samples.json"))
    assert temporary_files(folder) == []


FAILURES = {
    "crashes": ("kill -SEGV $$\n", "SIGSEGV"),
    "exits with an error": ("echo cannot do that >&2; exit 7\n", "exited with 7"),
    "prints nothing": ("exit 0\n", "no times"),
    "prints noise": ("head -c 300000 /dev/urandom\n", "no times"),
    "has no interpreter": (None, "cannot be executed"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_a_runner_that_fails_is_reported_and_the_others_are_kept(name, profile, tmp_path):
    body, mention = FAILURES[name]
    runner = script(tmp_path / "bad_runner", body or "")
    if body is None:
        (tmp_path / "bad_runner").write_text("#!/nonexistent/interpreter\n")
    bad = {"name": "bad", "runner_path": runner, "runs": 2, "warmup": 0}
    end = profile([GOOD, bad])
    assert_refused(end, code=3, mentions=[mention, ".log"])
    assert_good_is_kept(tmp_path / "out")
    log = next((tmp_path / "out" / "bad").glob("*.log"))
    assert log.stat().st_size > 0
    if name == "exits with an error":
        assert "cannot do that" in log.read_text()


def test_a_runner_that_hangs_is_ended_with_its_children(profile, tmp_path):
    marker = tmp_path / "child.pid"
    runner = script(tmp_path / "hangs", f"sleep 60 & echo $! > {marker}\nwait\n")
    end = profile([GOOD, {"name": "bad", "runner_path": runner, "runs": 2, "warmup": 0}], "--timeout", "0.5")
    assert_refused(end, code=3, mentions=["timed out"])
    assert_good_is_kept(tmp_path / "out")
    assert is_gone(int(marker.read_text()))


def is_gone(pid, seconds=3.0):
    """Ended, or a zombie that waits for a parent that does not ask."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            with open(f"/proc/{pid}/stat") as file:
                if file.read().rsplit(")", 1)[1].split()[0] == "Z":
                    return True
        except OSError:
            return True
        time.sleep(0.02)
    return False


def test_a_runner_that_lost_its_permission_is_found_before_anything_runs(profile, tmp_path):
    runner = script(tmp_path / "plain", "exit 0\n")
    os.chmod(runner, 0o644)
    assert_refused(profile([GOOD, {**GOOD, "name": "bad", "runner_path": runner}]), mentions=["not executable"])
    assert not (tmp_path / "out").exists()


def test_a_cpu_that_does_not_exist_fails_that_experiment_only(profile, tmp_path):
    end = profile([GOOD, {**GOOD, "name": "bad", "cpu_affinity": "0x8000000000000000"}])
    assert_refused(end, code=3, mentions=["mask"])
    assert_good_is_kept(tmp_path / "out")


def test_a_failed_experiment_is_measured_again_and_a_finished_one_is_not(profile, tmp_path):
    runner = script(tmp_path / "runner", "exit 7\n")
    experiments = [GOOD, {"name": "second", "runner_path": runner, "runs": 2, "warmup": 0}]
    assert profile(experiments).code == 3
    before = results(tmp_path / "out")["good"]
    script(tmp_path / "runner", f'exec "{OWN_RUNNER}" "$@"\n')
    end = profile(experiments)
    assert end.code == 0, end.err
    assert results(tmp_path / "out")["good"] == before
    assert results(tmp_path / "out")["second"]["metrics"]["median_ms"] > 0


def wait_for(condition, seconds=5.0):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "nothing happened"
        time.sleep(0.005)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_session_leaves_whole_files_and_resumes(number, samples, tmp_path):
    """The second experiment hangs in its own child; the first one's launches are done by then."""
    out = tmp_path / "out"
    marker = tmp_path / "child.pid"
    hangs = f"sleep 60 & echo $! > {marker}.tmp; mv {marker}.tmp {marker}; wait\n"
    runner = script(tmp_path / "runner", hangs)
    experiments = [GOOD, {"name": "second", "runner_path": runner, "runs": 2, "warmup": 0}]
    config = {"model": str(samples.program), "output_root": str(out), "design": "sequential"}
    config["experiments"] = experiments
    (tmp_path / "config.json").write_text(json.dumps(config))

    process = start("profile", tmp_path / "config.json", cwd=tmp_path)
    wait_for(marker.exists)
    process.send_signal(number)
    _, err = process.communicate(timeout=30)  # a process that waits for a busy disk ends when that answers
    assert process.returncode == -number, "a shell must see the signal"
    assert len([line for line in err.decode().splitlines() if line.startswith("etalon:")]) == 1
    assert is_gone(int(marker.read_text()))
    assert temporary_files(out) == []
    for file in out.rglob("*.json"):
        json.loads(file.read_text())
    samples_file = next((out / "good").glob("*_samples.json"))
    launches = json.loads(samples_file.read_text())["launches"]
    assert launches

    script(tmp_path / "runner", f'exec "{OWN_RUNNER}" "$@"\n')
    end = etalon("profile", tmp_path / "config.json", cwd=tmp_path)
    assert end.code == 0, end.err
    kept = json.loads(samples_file.read_text())["launches"]
    assert kept[: len(launches)] == launches, "finished launches are not measured again"
    assert etalon("validate", out).code == 0


def test_interrupts_at_any_moment_leave_only_whole_files(samples, tmp_path):
    out = tmp_path / "out"
    for delay in (0.0, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05):
        process = start("profile", samples.program, "--runs", 300, "--threads", "1,2", "-o", out, cwd=tmp_path)
        time.sleep(delay)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=5)
        assert process.returncode in (0, -signal.SIGTERM)
        if out.exists():
            assert temporary_files(out) == []
            for file in out.rglob("*.json"):
                json.loads(file.read_text())
    end = etalon("profile", samples.program, "--runs", 300, "--threads", "1,2", "-o", out, cwd=tmp_path)
    assert end.code == 0, end.err
    assert etalon("validate", out).code == 0


WORKER = """#!/bin/sh
# Talks like our runner, and counts its runs; the one named in the file `crash` dies in its third process.
here=$(dirname "$0")
[ -e "$here/hang" ] && echo $$ > "$here/pid" && sleep 60
case "$*" in *--worker*) ;; *) exec REAL "$@" ;; esac
case "$*" in *"--isa=$(cat "$here/crash" 2>/dev/null)"*)
  [ -e "$here/crash" ] && echo x >> "$here/count" && [ "$(wc -l < "$here/count")" -gt 3 ] && kill -SEGV $$ ;;
esac
exec REAL "$@"
"""


@pytest.fixture
def watched_runner(tmp_path):
    """Ours behind a script of the same name, so that sessions keep it alive."""
    (tmp_path / "bin").mkdir()
    runner = tmp_path / "bin" / "etalon-runner"
    runner.write_text(WORKER.replace("REAL", str(OWN_RUNNER)))
    runner.chmod(0o755)
    return runner


def kept_alive(runner, name, **fields):
    return {"name": name, "runner_path": str(runner), "runs": 24, "warmup": 1, **fields}


def test_a_worker_that_crashes_in_the_middle_fails_its_run_and_the_other_goes_on(watched_runner, profile, tmp_path):
    (watched_runner.parent / "crash").write_text("scalar")
    slow = kept_alive(watched_runner, "bad", extra_args=["--isa=scalar"])
    end = profile([kept_alive(watched_runner, "good"), slow])
    assert_refused(end, code=3, mentions=["bad", "signal 11"])
    assert_good_is_kept(tmp_path / "out")
    found = results(tmp_path / "out")
    assert len(found["good"]["metrics"]["latency_ms"]) == 24
    assert found["bad"]["status"] == "failed"
    assert "median_ms" not in found["bad"]["metrics"]
    samples = json.loads(next((tmp_path / "out" / "bad").glob("*_samples.json")).read_text())
    assert 1 <= len(samples["launches"]) < 6, "what was measured before the crash is kept"


@pytest.mark.parametrize("seconds", [0.05, 0.15, 0.3, 0.6])
def test_an_interrupted_session_of_live_workers_goes_on(seconds, samples, tmp_path):
    out = tmp_path / "out"
    command = ["profile", samples.program, "--isa", "scalar,auto", "--runs", 60, "-o", out]
    process = start(*command, cwd=tmp_path)
    time.sleep(seconds)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=5)
    before = {path: json.loads(path.read_text()) for path in out.rglob("*_samples.json")}
    end = etalon(*command, cwd=tmp_path, seconds=30)
    assert end.code == 0, end.err
    for path, kept in before.items():
        now = json.loads(path.read_text())
        assert now["session"] == kept["session"]
        assert now["launches"][: len(kept["launches"])] == kept["launches"]
        assert sum(len(launch["runs_ms"]) for launch in now["launches"]) == 60
    assert len({result["metrics"]["session"] for result in results(out).values()}) == 1
    assert etalon("validate", out).code == 0


def test_a_worker_that_never_gets_ready_is_ended(watched_runner, samples, tmp_path):
    (watched_runner.parent / "hang").touch()
    config = {"model": str(samples.program), "output_root": str(tmp_path / "out")}
    config["experiments"] = [kept_alive(watched_runner, "a")]
    (tmp_path / "config.json").write_text(json.dumps(config))
    end = etalon("profile", tmp_path / "config.json", "--timeout", "0.5", cwd=tmp_path)
    assert_refused(end, code=3, mentions=["no answer within 0.5 s"])
    assert is_gone(int((watched_runner.parent / "pid").read_text()))


def test_an_export_that_is_interrupted_keeps_the_old_program(tmp_path):
    (tmp_path / "m.pte").write_text("old")
    for delay in (0.01, 0.05, 0.1, 0.2):
        process = start("export", "zoo:resnet18", "-o", tmp_path / "m.pte", cwd=tmp_path)
        time.sleep(delay)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=5)
        assert temporary_files(tmp_path) == []
        if process.returncode == 0:
            break
        assert process.returncode == -signal.SIGINT
        assert (tmp_path / "m.pte").read_text() == "old" or (tmp_path / "m.pte").stat().st_size > 1 << 20


@pytest.mark.parametrize("limit", [0, 300, 2000])
def test_a_full_disk_ends_a_session_and_resuming_completes_it(limit, profile, tmp_path):
    end = profile([GOOD], file_bytes=limit)
    assert end.code in (2, 3)
    assert_refused(end, code=end.code)
    assert temporary_files(tmp_path) == []
    end = profile([GOOD])
    assert end.code == 0, end.err
    assert_good_is_kept(tmp_path / "out")
    assert etalon("validate", tmp_path / "out").code == 0


def test_a_model_that_no_runner_can_load_is_a_failed_run(tmp_path):
    (tmp_path / "broken.pte").write_bytes(bytes(4) + b"ET12" + bytes(100))
    end = etalon("profile", tmp_path / "broken.pte", "--runs", 2, cwd=tmp_path)
    assert end.code in (2, 3)
    assert_refused(end, code=end.code)
    assert temporary_files(tmp_path) == []
