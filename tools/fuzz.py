"""Runs every fuzz target of a folder, sharing the given seconds: fuzz.py FOLDER SECONDS. Exits 1 if one finds a crash."""

import pathlib
import subprocess
import sys
import tempfile


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
