#!/usr/bin/env python3
"""A scripted executor_runner: takes its flags, prints its log lines, leaves an ETDump. It runs no model.

Beside it: `recorded.etdump`, what a real runtime wrote, and `recorded.json`, the milliseconds of each iteration of that
recording. Flags that executor_runner does not have end it with code 1, as they end the real one.
"""

import json
import os
import shutil
import sys
from pathlib import Path

_HERE = Path(__file__).resolve().parent
_FLAGS = {"model_path", "num_executions", "cpu_threads", "etdump_path", "inputs", "print_output", "output_file"}
_KERNELS = (
    ("GEMM", "xnn_f32_gemm_minmax_ukernel_16x4__neonsme2_mopa"),
    ("Convolution", "xnn_f32_igemm_minmax_ukernel_4x16__neonfma_ld64"),
)


def log(text, level="I"):
    print(f"{level} 00:00:00.000{len(text):03d} executorch:executor_runner.cpp:123] {text}", file=sys.stderr)


def flags_of(arguments):
    flags, rest = {}, list(arguments)
    while rest:
        word = rest.pop(0)
        name, equals, value = word.lstrip("-").partition("=")
        if not word.startswith("-") or name not in _FLAGS:
            print(f"ERROR: unknown command line flag '{name}'", file=sys.stderr)
            raise SystemExit(1)
        flags[name] = value if equals else rest.pop(0)
    return flags


def main():
    flags = flags_of(sys.argv[1:])
    if not Path(flags["model_path"]).is_file():
        log(f"Failed to parse model file {flags['model_path']}", "F")
        return 1
    times, count = json.loads((_HERE / "recorded.json").read_text()), int(flags.get("num_executions", 1))
    if int(flags.get("cpu_threads", -1)) > 0:
        log(f"Resetting threadpool with num threads = {flags['cpu_threads']}")
    log(f"Model file {flags['model_path']} is loaded.")
    log("Using method forward")
    log("Setting up CPU planned buffer 0, size 4096.")
    log("Model loaded in 1.250000 ms.")
    if int(os.environ.get("XNN_LOG_LEVEL", "0")) >= 4:
        for category, kernel in _KERNELS:
            print(f"Debug (XNNPACK): Using {category} microkernel '{kernel}'", file=sys.stderr)
    spent = [times[i % len(times)] for i in range(count)]
    for i, ms in enumerate(spent):
        log(f"Iteration {i + 1} of {count}: {ms:f} ms")
    log(f"Model executed successfully {count} time(s) in {sum(spent):f} ms.")
    log("1 outputs: ")
    print("OutputX 0: tensor(sizes=[1, 3], [1., 2.5, -1.])")
    target = flags.get("etdump_path", "model.etdump")
    shutil.copy(_HERE / "recorded.etdump", target)
    log(f"ETDump written to file '{target}'.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
