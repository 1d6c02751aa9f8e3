"""Runs the built `etalon` the way these tests judge it: a time limit, a memory limit, and rules for how it may end."""

import os
import resource
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FORMATS = ROOT / "tests" / "data" / "formats"
PROGRAM = Path(os.environ.get("ETALON", ROOT / "build" / "release" / "bin" / "etalon"))
SECONDS = float(os.environ.get("ETALON_TEST_SECONDS", "5"))
# Sanitizers reserve terabytes of addresses: 0 lifts the limit for such builds.
MEMORY_MB = int(os.environ.get("ETALON_TEST_MEMORY_MB", "2048"))


@dataclass
class End:
    """How a process ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def errors(self):
        return [line for line in self.err.splitlines() if line.startswith("etalon:")]


def _limits(file_bytes):
    def apply():
        if MEMORY_MB:
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY_MB << 20, MEMORY_MB << 20))
        if file_bytes is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes))

    return apply


def environment(**changes):
    out = {key: value for key, value in os.environ.items() if key != "NO_COLOR"}
    out.setdefault("ETALON_ZOO", str(ROOT / "zoo"))
    out.update({key: str(value) for key, value in changes.items()})
    return out


def _command(program, args):
    return [os.fspath(program), *(str(arg) if isinstance(arg, int) else os.fspath(arg) for arg in args)]


def etalon(*args, cwd=None, seconds=SECONDS, file_bytes=None, env=None, program=PROGRAM):
    """Runs to the end. A time-out, or an end by a signal, fails the test."""
    command = _command(program, args)
    done = subprocess.run(
        command,
        cwd=cwd,
        env=env or environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=seconds,
        preexec_fn=_limits(file_bytes),
    )
    end = End(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))
    assert end.code >= 0, f"ended by {signal.Signals(-end.code).name}: {command}\n{end.err[-2000:]}"
    return end


def _heed_signals():
    """What nohup and shells in the background make a program ignore, it goes on ignoring; here it must not."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def start(*args, cwd=None):
    """Starts without waiting, for tests that interrupt it."""
    return subprocess.Popen(
        _command(PROGRAM, args),
        cwd=cwd,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=_heed_signals,
    )


def assert_refused(end, code=2, mentions=()):
    """One line that says what is wrong, and the documented exit code."""
    assert end.code == code, f"exit code {end.code}, want {code}\n{end.err[-2000:]}"
    assert len(end.errors) == 1, end.err[-2000:]
    assert end.err.splitlines()[-1] == end.errors[0], end.err[-2000:]
    assert len(end.errors[0]) > len("etalon: ") + 5
    assert "\x1b" not in end.err
    for word in mentions:
        assert word in end.errors[0], f"{word!r} is not in: {end.errors[0]}"


def assert_ends_well(end, codes=(0, 1, 2, 3)):
    """For damage that may go unnoticed: success or a refusal, but no defect of ours."""
    assert end.code in codes, f"exit code {end.code}\n{end.err[-2000:]}"
    if end.code in (2, 3):
        assert_refused(end, end.code)


def temporary_files(folder):
    return [str(path) for path in Path(folder).rglob("*") if ".tmp-" in path.name or ".scratch" in path.name]
