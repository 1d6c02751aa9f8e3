"""Child processes measured as wholes. Peak memory is what a process says of itself: rusage would count its parent's."""

import os
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ETALON = os.environ.get("ETALON", str(ROOT / "build" / "release" / "bin" / "etalon"))


def measure(command, env=None):
    """Runs a command; returns (seconds, stdout). Raises RuntimeError with its stderr when it fails."""
    start = time.perf_counter()
    child = subprocess.run(command, capture_output=True, text=True, env=env, check=False)
    seconds = time.perf_counter() - start
    if child.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))}: exit {child.returncode}: {child.stderr.strip()[-400:]}")
    return seconds, child.stdout


def median(values):
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def percentile_95(values):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(0.95 * (len(ordered) - 1)))]
