"""Etalon beside other engines: same models, weights, inputs, threads and CPUs, in interleaved blocks.

  ./dev bench peers                              every model of the zoo, 1 and 2 threads
  ./dev bench peers --models mobilenet_v2,vit_tiny --threads 1 --seconds 5
  ./dev bench peers --kinds int8,16-bit --seconds 1 --rounds 6 --loads 1
  ./dev bench peers --table xnnpack-examples --threads 1
"""

import argparse
import datetime
import json
import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import tables  # noqa: E402
import xnnpack_table  # noqa: E402
from artefacts import Artefacts  # noqa: E402
from engines import BIN, ENGINES, KINDS, ROOT, by_name, default  # noqa: E402
from measure import Cell  # noqa: E402

ISA_FLAGS = ("avx2", "fma", "avx512f", "avx512_vnni", "avx512_bf16", "avx512_fp16", "amx_tile", "amx_int8", "amx_bf16",
             "asimd", "asimddp", "i8mm", "sve2", "sme", "sme2")


def cpu_field(name):
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        for line in info:
            if line.startswith(name):
                return line.split(":", 1)[1].strip()
    return ""


def machine():
    flags = set((cpu_field("flags") or cpu_field("Features")).split())
    isa = " ".join(f for f in ISA_FLAGS if f in flags)
    return f"{cpu_field('model name') or 'unknown CPU'}, {os.cpu_count()} CPUs; {isa}"


def versions():
    done = subprocess.run([BIN / "etalon", "--version"], capture_output=True, text=True, check=False)
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True,
                            check=False).stdout.strip()
    found = [f"{done.stdout.strip() or 'etalon'} {commit}".strip()]
    for name in ("torch", "executorch", "onnxruntime", "openvino", "ai-edge-litert", "litert-torch", "torchao", "nncf",
                 "ai-edge-quantizer"):
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            found.append(f"{name} absent")
    return ", ".join(found)


def zoo_models():
    index = json.loads((ROOT / "zoo/zoo.json").read_text(encoding="utf-8"))
    return [entry["name"] for entry in index["models"] if entry["name"] != "toy_cnn"]


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", default="", help="comma-separated zoo models; all without it")
    parser.add_argument("--threads", default="1,2", help="comma-separated")
    parser.add_argument("--seconds", type=float, default=3, help="per engine and cell")
    parser.add_argument("--rounds", type=int, default=10, help="blocks that the seconds are divided into")
    parser.add_argument("--loads", type=int, default=3, help="fresh processes whose load times count")
    parser.add_argument("--kinds", default=",".join(KINDS), help=f"comma-separated, of {', '.join(KINDS)}")
    parser.add_argument("--peers", default="", help="comma-separated engines, or all; those of --kinds without it")
    parser.add_argument("--table", choices=[xnnpack_table.NAME],
                        help="another table: portable, XNNPACK fp32 and XNNPACK q8, of ExecuTorch's own files and of ours")
    parser.add_argument("--fresh", action="store_true", help="convert again what an earlier run converted")
    parser.add_argument("--convert-only", action="store_true", help="make the files and stop")
    parser.add_argument("--timeout", type=float, default=300, help="seconds for one answer of an engine")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", metavar="FILE", help="write every number here")
    parser.add_argument("--markdown", metavar="FILE", help="write the tables here, besides printing them")
    args = parser.parse_args()
    known = zoo_models()
    args.models = [m for m in args.models.split(",") if m] or (list(xnnpack_table.MODELS) if args.table else known)
    for model in args.models:
        if model not in known + ["toy_cnn"]:
            parser.error(f"--models: the zoo has no {model}; it has {', '.join(known)}")
    kinds = args.kinds.split(",")
    if unknown := set(kinds) - set(KINDS):
        parser.error(f"--kinds: there is no {', '.join(sorted(unknown))}; there are {', '.join(KINDS)}")
    names = args.peers.split(",") if args.peers else default(kinds)
    args.engines = ENGINES if args.peers == "all" else [by_name(name) for name in names]
    if args.table:
        args.engines = xnnpack_table.engines()
    args.threads = [int(t) for t in args.threads.split(",")]
    return args


def cpus_for(threads):
    """The highest-numbered CPUs we may use: interrupts tend to land on the first."""
    allowed = sorted(os.sched_getaffinity(0))
    if threads > len(allowed):
        raise SystemExit(f"--threads: {threads} wanted, this machine gives us {len(allowed)} CPUs")
    return set(allowed[-threads:])


def measure(args, files, model, threads):
    print(f"{model}, {threads} thread{'s' if threads > 1 else ''}", file=sys.stderr, flush=True)
    cell = Cell(files, args.engines, threads, cpus_for(threads), args)
    try:
        cell.measure(f"{args.seed} {model} {threads}")
    finally:
        cell.close()
    for row in cell.rows.values():
        if "median_ms" in row:
            print(f"  {row['engine']:14} {row['median_ms']:9.3f} ms", file=sys.stderr, flush=True)
    return {"model": model, "threads": threads, "rows": cell.rows}


def markdown(args, results):
    return (xnnpack_table if args.table else tables).markdown(results)


def write(args, results):
    if args.json:
        Path(args.json).write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    if args.markdown:
        Path(args.markdown).write_text(markdown(args, results), encoding="utf-8")


def main():
    args = parse()
    if args.convert_only:
        for model in args.models:
            files = Artefacts(model, args.fresh)
            for artefact in dict.fromkeys(engine.artefact for engine in args.engines):
                print(f"{model} {artefact}: {files.make(artefact) or 'ready'}", flush=True)
        return
    results = {
        "schema": "etalon.peers/1", "machine": machine(), "versions": versions(), "seconds": args.seconds,
        "rounds": args.rounds,
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "engines": [{"name": e.name, "what": e.what, "kind": e.kind} for e in args.engines],
        "peers": [e.name for e in args.engines if e.peer], "cells": [],
    }
    print(f"machine: {results['machine']}\nversions: {results['versions']}", file=sys.stderr, flush=True)
    for model in args.models:
        files = Artefacts(model, args.fresh)
        for threads in args.threads:
            results["cells"].append(measure(args, files, model, threads))
            write(args, results)  # a long run that is stopped leaves what it has
    print(markdown(args, results))


if __name__ == "__main__":
    main()
