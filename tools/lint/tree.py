"""Checks on the tree as a whole: no machine paths, no vague file names, tests beside code, headers that start right."""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
VAGUE = re.compile(r"(^|/)(utils?|helpers?|common|misc)[_./]|[_/](utils?|helpers?|manager)\.")
MACHINE_PATH = re.compile("(/" + "home/[a-z]|/" + r"root/|\.py" + "env)")
MAX_TRACKED_BYTES = 3_000_000


def tracked() -> list[pathlib.Path]:
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode().split("\0")
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


def defects(path: pathlib.Path) -> list[str]:
    name = str(path.relative_to(ROOT))
    found = []
    if path.stat().st_size > MAX_TRACKED_BYTES:
        found.append(f"{name}: larger than {MAX_TRACKED_BYTES} bytes")
    if name.startswith("src/") and VAGUE.search(name):
        found.append(f"{name}: a name that says nothing")
    if path.suffix not in (".cc", ".h", ".py", ".md", ".json", ".cmake", ".txt", ".sh"):
        return found
    text = path.read_text(encoding="utf-8", errors="replace")
    if MACHINE_PATH.search(text):
        found.append(f"{name}: a path of one machine")
    if path.suffix == ".h" and name.startswith("src/") and "#pragma once" not in text:
        found.append(f"{name}: no #pragma once")
    return found


def main() -> int:
    files = tracked()
    found = [line for path in files for line in defects(path)]
    print("\n".join(found) if found else f"tree: {len(files)} files, no defect")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
