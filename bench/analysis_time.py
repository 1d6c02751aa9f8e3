"""How long the analysis of a large recording takes, and in how much memory; beside it ExecuTorch's Inspector."""

import json
import os
import subprocess
import sys
import tempfile
import time
from importlib import util
from pathlib import Path

from children import ETALON, median

HERE = Path(__file__).resolve().parent
MEGABYTES = 100
OPERATORS = 200


def _command(command):
    """Seconds and peak memory in MB of a program; its own, because this interpreter is smaller than it."""
    start = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - start
    if status != 0:
        raise RuntimeError(f"{' '.join(map(str, command))}: wait status {status}")
    return seconds, usage.ru_maxrss / 1e3


def _print_row(name, seconds, peak_mb, size_mb):
    print(f"| {name} | {seconds:.2f} | {peak_mb:.0f} | {peak_mb / size_mb:.1f} |", flush=True)


def _inspector(file, size_mb):
    if util.find_spec("executorch") is None:
        print("\nThe Inspector is not timed: executorch is not installed.")
        return
    script = HERE / "analysis" / "inspector.py"
    try:
        child = subprocess.run([sys.executable, script, file], capture_output=True, text=True, check=True, timeout=1800)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        print(f"\nThe Inspector did not finish: {error}")
        return
    told = json.loads(child.stdout.splitlines()[-1])
    _print_row("Inspector: read", told["read_s"], told["peak_mb"], size_mb)
    _print_row("Inspector: read and make its table", told["read_s"] + told["table_s"], told["peak_mb"], size_mb)


def run(rounds):
    bench = Path(ETALON).parent / "etalon-analysis-bench"
    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder) / "large.etdump")
        made = subprocess.run(
            [bench, "make", file, "--megabytes", str(MEGABYTES), "--operators", str(OPERATORS)],
            capture_output=True, text=True, check=True,
        )
        what = json.loads(made.stdout)
        size_mb = what["bytes"] / 1e6
        print(f"\n{what['runs']} runs of {what['operators']} operators, {size_mb:.0f} MB; medians of {rounds}\n")
        print("| | seconds | peak MB | of the file's size |\n|---|---|---|---|")
        runs = [_command([ETALON, "analyze", file]) for _ in range(rounds)]
        _print_row("etalon analyze FILE", median([s for s, _ in runs]), max(m for _, m in runs), size_mb)
        steps = [json.loads(subprocess.run([bench, "time", file], capture_output=True, text=True, check=True).stdout) for _ in range(rounds)]
        seconds = {name: median([step[name] for step in steps]) for name in ("verify_s", "profile_s", "timeline_s")}
        _print_row("of which: the profile", seconds["verify_s"] + seconds["profile_s"], steps[0]["peak_mb"], size_mb)
        _print_row(f"a timeline of all {steps[0]['timeline_rows']} events", seconds["timeline_s"], steps[0]["timeline_peak_mb"], size_mb)
        _inspector(file, size_mb)
