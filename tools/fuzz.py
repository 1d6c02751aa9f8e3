"""Runs every fuzz target of a folder, sharing the given seconds: fuzz.py FOLDER SECONDS. Exits 1 if one finds a crash."""

import pathlib
import subprocess
import sys
import tempfile
import zipfile

GRAPH = """graph forward {
  input %x: f32[8~3, 4]
  input %image: f32[1, 3, 4, 4]{0,2,3,1}
  constant %w: f32[2, 2] parameter = {1, 2.5, -3, 4}
  constant %count: i64[] state = {7}
  %n: int(8~3) = aten::sym_size.int(%x, 0)
  %y: f32[8~3, 4] = aten::add.Tensor(%x, %x, 1)
  %z: f32[8~3, 4] = aten::mul.Scalar(%y, 2.0)
  update %count = %count
  return %z, %n, None, 3
}
"""
CONFIG = """{"model": "m.pte", "output_root": "out_<model>", "platform": "host", "design": "sequential",
 "experiments": [{"name": "a", "runner_path": "r", "mode": "timing", "runs": 10, "warmup": 2, "threads": [1, 2],
                  "inputs": ["x.npy"], "extra_args": ["-v"], "env": {"A": "1"}, "cpu_affinity": "0x80"},
                 {"name": "b", "num_runs": 5, "num_threads": 1, "engine": "native", "isa": "auto", "power": "boost"}],
 "analysis": {"compare_pairs": [{"label": "l", "baseline": {"experiment": "a", "threads": 2},
                                 "candidate": {"experiment": "b"}}], "categories": {"GEMM": ["addmm"]}}}
"""
SAMPLES = """{"schema": "etalon.samples/1", "session": "s", "seed": "7", "looks": [6, 12], "runs_per_block": 1, "arms": [
 {"key": "k", "experiment": "a", "threads": 1, "traced": false, "launches": [{"round": 0, "runs_ms": [1.5], "blocks": [
  {"index": 0, "place": 1, "voided": true, "voided_ms": [2], "sentinel_ns": [1, 2]}, {"index": 0, "attempt": 1, "runs": 1}]}]}]}
"""


def add_seeds(folder: pathlib.Path, corpus: pathlib.Path) -> None:
    """What lies inside the sample files, for targets that read a part of one."""
    (corpus / "graph").write_text(GRAPH)
    (corpus / "config").write_text(CONFIG)
    (corpus / "samples").write_text(SAMPLES)
    for archive in folder.glob("*.pt2"):
        with zipfile.ZipFile(archive) as content:
            for name in content.namelist():
                if name.endswith(".json"):
                    (corpus / f"{archive.stem}-{pathlib.Path(name).name}").write_bytes(content.read(name))


def main() -> int:
    folder, seconds = pathlib.Path(sys.argv[1]), int(sys.argv[2])
    targets = sorted(folder.glob("*_fuzz"))
    if not targets:
        print(f"no fuzz targets in {folder}")
        return 1
    share = max(5, seconds // len(targets))
    seeds = pathlib.Path(__file__).resolve().parents[1] / "tests" / "data" / "formats"
    failed = []
    for target in targets:
        with tempfile.TemporaryDirectory() as corpus:
            command = [str(target), corpus, f"-max_total_time={share}", "-rss_limit_mb=2048", "-timeout=10", "-print_final_stats=1"]
            if seeds.is_dir():
                add_seeds(seeds, pathlib.Path(corpus))
                command.insert(2, str(seeds))
            result = subprocess.run(command, capture_output=True, text=True, cwd=corpus)
            runs = [l.split()[-1] for l in result.stderr.splitlines() if "number_of_executed_units" in l]
            print(f"{target.name:32} {share:4} s  {runs[0] if runs else '?':>10} runs  {'ok' if result.returncode == 0 else 'FAILED'}", flush=True)
            if result.returncode != 0:
                failed.append(target.name)
                print(result.stderr[-3000:])
    print(f"{len(targets) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
