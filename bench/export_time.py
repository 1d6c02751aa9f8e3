"""Export time and memory: `etalon export` beside ExecuTorch's to_edge_transform_and_lower + to_executorch.

Both start from the same .pt2 on disk and end with a portable .pte on disk; both are whole processes, imports included. The real
tool runs once per model (it takes seconds), ours several times.
"""

import json
import os
import sys
import tempfile
from pathlib import Path

from children import ETALON, measure, median

REAL = """
import sys, time
import torch
from executorch.exir import to_edge_transform_and_lower
start = time.perf_counter()
program = to_edge_transform_and_lower(torch.export.load(sys.argv[1])).to_executorch()
with open(sys.argv[2], "wb") as file:
    program.write_to_file(file)
seconds = time.perf_counter() - start
with open("/proc/self/status") as status:
    peak = [line.split()[1] for line in status if line.startswith("VmHWM")][0]
print(seconds, peak)
"""


def _archive(model, folder):
    from etalon import export, model as registry

    path = Path(folder) / f"{model}.pt2"
    export.build_pt2(model, path)
    return path


def _real(pt2, folder):
    seconds, out = measure([sys.executable, "-c", REAL, str(pt2), str(Path(folder) / "real.pte")],
                           env={**os.environ, "OMP_NUM_THREADS": "1"})
    work, peak_kib = out.split()[-2:]
    return float(work), seconds, float(peak_kib) / 1024


def _ours(pt2, folder):
    seconds, out = measure([ETALON, "export", str(pt2), "--backend", "portable", "-o", str(Path(folder) / "ours.pte"), "-q", "--json"])
    return seconds, json.loads(out)["peak_rss_bytes"] / 2**20


def run(models, rounds):
    print("export, .pt2 -> portable .pte (s, whole process; peak MiB)")
    print(f"{'model':20} {'weights':>9} {'ours':>8} {'peak':>7} {'x weights':>9} | {'real':>7} {'+imports':>8} {'peak':>7} | {'ratio':>6}")
    for model in models:
        with tempfile.TemporaryDirectory() as folder:
            pt2 = _archive(model, folder)
            weights = pt2.stat().st_size / 2**20
            ours = [_ours(pt2, folder) for _ in range(rounds)]
            seconds, peak = median([o[0] for o in ours]), max(o[1] for o in ours)
            line = f"{model:20} {weights:7.1f} M {seconds:8.3f} {peak:7.0f} {peak / weights:9.2f} | "
            try:
                work, whole, real_peak = _real(pt2, folder)
                line += f"{work:7.2f} {whole:8.2f} {real_peak:7.0f} | {whole / seconds:5.0f}x"
            except (RuntimeError, ImportError) as error:
                line += f"not measured: {str(error)[-60:]}"
            print(line, flush=True)
    print()
