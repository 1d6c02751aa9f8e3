"""Portable kernels: our runtime beside ExecuTorch's own on the same .pte, one thread, interleaved blocks.

ExecuTorch's side is the runtime inside the executorch wheel (portable kernels, with its optimized ones where they exist).
A block is a few runs of one engine; the order within each round is drawn at random.
"""

import contextlib
import json
import os
import random
import tempfile
import time
from pathlib import Path

from children import ETALON, measure, median, percentile_95


class Ours:
    def __init__(self, program, folder):
        self.program, self.report = program, Path(folder) / "run.json"

    def block(self, runs):
        measure([ETALON, "run", str(self.program), "--engine", "portable", "--threads", "1", "--runs", str(runs), "--warmup", "1",
                 "--json", str(self.report), "-q"])
        return json.loads(self.report.read_text())["runs_ms"]


class Real:
    def __init__(self, program):
        import torch
        from executorch.extension.pybindings import portable_lib

        torch.set_num_threads(1)
        portable_lib._unsafe_reset_threadpool(1)
        self.module = portable_lib._load_for_executorch(str(program))
        meta = self.module.method_meta("forward")
        dtypes = {4: torch.int64, 6: torch.float32, 5: torch.float16, 11: torch.bool}
        self.inputs = [torch.ones(meta.input_tensor_meta(i).sizes(), dtype=dtypes[meta.input_tensor_meta(i).dtype()])
                       for i in range(meta.num_inputs())]

    def block(self, runs):
        self.module.forward(self.inputs)
        times = []
        for _ in range(runs):
            start = time.perf_counter()
            self.module.forward(self.inputs)
            times.append((time.perf_counter() - start) * 1e3)
        return times


def _runs_per_block(engine):
    once = engine.block(1)[0]
    return max(1, min(20, int(400 / max(once, 1e-3))))


def run(models, rounds):
    print("portable kernels, one thread (ms): ours / ExecuTorch's on the same .pte")
    print(f"{'model':20} {'ours min':>9} {'median':>8} {'p95':>8} | {'real min':>9} {'median':>8} {'p95':>8} | {'real/ours':>9}")
    for model in models:
        with tempfile.TemporaryDirectory() as folder:
            program = Path(folder) / "model.pte"
            measure([ETALON, "export", f"zoo:{model}", "--backend", "portable", "-o", str(program), "-q"])
            engines = {"ours": Ours(program, folder)}
            try:
                with contextlib.redirect_stdout(open(os.devnull, "w", encoding="utf-8")):
                    engines["real"] = Real(program)
            except ImportError:
                print("executorch is absent: our side only")
            runs = {name: _runs_per_block(engine) for name, engine in engines.items()}
            times = {name: [] for name in engines}
            medians = {name: [] for name in engines}
            for _ in range(rounds):
                for name in random.sample(list(engines), len(engines)):
                    block = engines[name].block(runs[name])
                    times[name] += block
                    medians[name].append(median(block))
            line = f"{model:20} "
            for name in ("ours", "real"):
                if name in times:
                    line += f"{min(times[name]):9.2f} {median(times[name]):8.2f} {percentile_95(times[name]):8.2f} | "
            if "real" in times:
                ratios = [r / o for r, o in zip(medians["real"], medians["ours"])]
                line += f"{median(ratios):8.2f}x"
            print(line, flush=True)
    print()
