"""Runs the benchmarks: run.py [export|quantise|portable|analysis|verdicts] [--models a,b]. Prints the machine, then one table each.

Every number of a row comes from the same run of this script; ratios are from interleaved blocks.
"""

import argparse
import os
import platform
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(ROOT / "python"))

MODELS = ["mobilenet_v3_small", "mobilenet_v2", "resnet18", "resnet50", "vit_tiny", "efficientnet_b0"]


def machine() -> str:
    model = "unknown CPU"
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        for line in info:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    return f"{model}, {os.cpu_count()} CPUs, {platform.system()} {platform.release()}"


def versions() -> str:
    from importlib import metadata

    found = []
    for name in ("torch", "executorch", "torchao"):
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            found.append(f"{name} absent")
    return ", ".join(found)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("which", nargs="?", choices=["export", "quantise", "portable", "analysis", "verdicts"], help="all without a name")
    parser.add_argument("--models", default=",".join(MODELS))
    parser.add_argument("--rounds", type=int, default=0, help="repetitions; 0: the benchmark's own default")
    args = parser.parse_args()
    print(f"machine: {machine()}\npeers: {versions()}\n", flush=True)
    models = [name for name in args.models.split(",") if name]
    if args.which in (None, "export"):
        import export_time

        export_time.run(models, args.rounds or 5)
    if args.which in (None, "quantise"):
        import quantise_time

        quantise_time.run(models, args.rounds or 2)
    if args.which in (None, "portable"):
        import portable_kernels

        portable_kernels.run(models, args.rounds or 6)
    if args.which in (None, "analysis"):
        import analysis_time

        analysis_time.run(args.rounds or 5)
    if args.which in (None, "verdicts"):
        program = ROOT / "build" / "release" / "bin" / "etalon-verdicts"
        trials = str(args.rounds or 200)
        subprocess.run([program, "--simulated", "--real", "--trials", trials], check=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
