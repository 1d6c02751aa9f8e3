"""Checks that every layer includes only what docs/design allows; prints each violation and exits 1 if there is one.

The table is the architecture; a new edge is a decision (docs/adr) and a line here.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
ALLOWED = {
    "base": [],
    "platform": ["base"],
    "tensor": ["base"],
    "kernels": ["base", "tensor"],
    "ops": ["base", "tensor"],
    "ir": ["base", "tensor", "ops"],
    "formats": ["base"],
    "frontend": ["base", "tensor", "ops", "ir", "formats"],
    "passes": ["base", "tensor", "ops", "ir"],
    "quantize": ["base", "tensor", "ops", "ir"],
    "backends/xnnpack/aot": ["base", "tensor", "ops", "ir", "formats"],
    "backends/native": ["base", "platform", "tensor", "ops", "formats", "kernels", "runtime"],
    "backends/executorch": ["base", "runtime"],
    "emit": ["base", "tensor", "ops", "ir", "formats"],
    "runtime": ["base", "platform", "tensor", "ops", "formats"],
    "trace": ["base", "formats", "runtime"],
    "measure": ["base", "platform"],
    "targets": ["base", "platform"],
    "analysis": ["base", "formats", "measure"],
    "report": ["base", "analysis"],
}
# Headers that only their own folder may see.
CONFINED = {
    "flatbuffers/": "formats",
    "_generated.h": "formats",
    "zip.h": "formats",
    "zlib.h": "formats",
    "simdjson.h": "formats",
    "CLI/": "cli",
    "executorch/": "backends/executorch",
    "boost/": "measure",
}
INCLUDE = re.compile(r'^\s*#\s*include\s+["<]([^">]+)[">]', re.MULTILINE)


def layer_of(path: pathlib.Path) -> str:
    return layer_of_include(path.relative_to(ROOT / "src").as_posix())


def layer_of_include(target: str) -> str:
    """The layer of "ops/op.h" is ops, that of "backends/native/engine.h" is backends/native."""
    nested = [layer for layer in ALLOWED if "/" in layer and target.startswith(layer + "/")]
    return nested[0] if nested else target.split("/")[0]


def violations(path: pathlib.Path) -> list[str]:
    layer = layer_of(path)
    found = []
    for target in INCLUDE.findall(path.read_text(encoding="utf-8")):
        first = layer_of_include(target)
        if "/" in target and (ROOT / "src" / first).is_dir():
            if layer != "cli" and first != layer and first not in ALLOWED.get(layer, []):
                found.append(f"{path.relative_to(ROOT)}: layer {layer} may not include {target}")
        for marker, home in CONFINED.items():
            # "formats/zip/zip.h" is ours; the system's is <zip.h>.
            matches = target.startswith(marker) or (marker.startswith("_") and target.endswith(marker))
            if matches and layer != home:
                found.append(f"{path.relative_to(ROOT)}: {target} may be included in {home} only")
    return found


def main() -> int:
    files = [p for p in sorted((ROOT / "src").rglob("*")) if p.suffix in (".h", ".cc", ".def")]
    found = [line for path in files for line in violations(path)]
    print("\n".join(found) if found else f"layers: {len(files)} files, no violation")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
