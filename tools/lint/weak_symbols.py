"""Checks that objects compiled for one ISA define no weak symbols; prints each and exits 1 if there is one.

The linker keeps one copy of an inline function for the whole program. If it took the copy of an AVX-512 object, the
program would die on machines without AVX-512, far away from any dispatch.
Usage: weak_symbols.py BUILD_DIRECTORY
"""

import pathlib
import re
import subprocess
import sys

OBJECT = re.compile(r"_(scalar|avx2|avxvnni|avx512|avx512vnni|avx512bf16|amx|neon|neonfp16|neondot|neoni8mm|neonbf16)\.cc\.o$")
WEAK = re.compile(r"^[0-9a-f]+ [WVu] (.+)$")


def main() -> int:
    objects = [p for p in sorted(pathlib.Path(sys.argv[1]).rglob("*.cc.o")) if OBJECT.search(p.name)]
    if not objects:
        print(f"weak_symbols: no object of a single ISA below {sys.argv[1]}, want some")
        return 1
    found = []
    for path in objects:
        names = subprocess.run(["nm", "-C", path], check=True, capture_output=True, text=True).stdout
        found += [f"{path.name}: weak {m[1]}" for line in names.splitlines() if (m := WEAK.match(line))]
    print("\n".join(found) if found else f"weak_symbols: {len(objects)} objects, none")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
