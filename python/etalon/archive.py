"""Rewrites `.pt2` archives: takes the weights out, puts drawn weights in, drops what only PyTorch's own tools read.

An archive without weights is an ordinary `.pt2` whose weight payloads have zero bytes. Rewriting is deterministic:
equal input gives equal bytes.

    python -m etalon.archive strip IN.pt2 OUT.pt2 [--keep-weights]
    python -m etalon.archive fill IN.pt2 OUT.pt2
"""

import argparse
import json
import math
import os
import re
import sys
import zipfile
from pathlib import Path

import numpy

from etalon import weights
from etalon.model import ModelError

_EPOCH = (1980, 1, 1, 0, 0, 0)
_KEPT_METADATA = ("stack_trace", "nn_module_stack")
_FRAME = re.compile(r'File "([^"]*)", line (\d+), in (.*)\n\s*(.*)')
# The numbers of `.pt2` dtypes that weights come in: (numpy storage type, bytes per element).
_FLOAT_DTYPES = {6: ("<f2", 2), 7: ("<f4", 4), 8: ("<f8", 8), 13: ("bfloat16", 2)}


def _relative(path):
    """A source path without the part that depends on the machine."""
    parts = Path(path).parts
    for anchor in ("site-packages", "dist-packages"):
        if anchor in parts:
            return "/".join(parts[parts.index(anchor) + 1 :])
    return "/".join(parts[-4:]) if "etalon" in parts else Path(path).name


def last_user_frame(stack_trace):
    """The innermost frame that is not inside torch.nn, as `File "path", line N, in function` and its source line."""
    frames = [
        (_relative(path), line, function, code) for path, line, function, code in _FRAME.findall(stack_trace)
    ]
    own = [f for f in frames if not f[0].startswith("torch/nn/")] or frames
    if not own:
        return ""
    path, line, function, code = own[-1]
    return f'File "{path}", line {line}, in {function}\n    {code}'


def _shorten_metadata(graph):
    for node in graph["nodes"]:
        kept = {key: value for key, value in node["metadata"].items() if key in _KEPT_METADATA}
        if "stack_trace" in kept:
            kept["stack_trace"] = last_user_frame(kept["stack_trace"])
        node["metadata"] = kept
        for argument in node["inputs"]:
            nested = argument["arg"].get("as_graph")
            if nested:
                _shorten_metadata(nested["graph"])


def shorten(program):
    """Drops from the decoded models/M.json what no importer needs and what names the machine it was made on."""
    module = program["graph_module"]
    _shorten_metadata(module["graph"])
    module["module_call_graph"] = [entry for entry in module["module_call_graph"] if entry["fqn"] == ""]
    program["guards_code"] = []
    return program


class Archive:
    """The entries of a `.pt2` by name without the root folder, in their order."""

    def __init__(self, path):
        try:
            with zipfile.ZipFile(path) as archive:
                names = archive.namelist()
                self.root = names[0].split("/")[0]
                self.entries = {name.split("/", 1)[1]: archive.read(name) for name in names if "/" in name}
        except (zipfile.BadZipFile, IndexError) as error:
            raise ModelError(f"{path}: not a .pt2 archive: {error}") from error
        if "data/weights/model_weights_config.json" not in self.entries:
            raise ModelError(
                f"{path}: no data/weights/model_weights_config.json in it; wanted what "
                "torch.export.save of torch 2.9 or newer writes"
            )

    def json(self, name):
        return json.loads(self.entries[name])

    def set_json(self, name, value):
        self.entries[name] = json.dumps(value, separators=(",", ":")).encode()

    def weights(self):
        """{payload name: [(fqn, entry of the weights config)]}, names in code point order."""
        groups = {}
        for fqn, entry in sorted(self.json("data/weights/model_weights_config.json")["config"].items()):
            groups.setdefault(entry["path_name"], []).append((fqn, entry))
        return groups

    def write(self, path, compress):
        """Writes the archive under a temporary name and renames it; the root folder is the file's stem."""
        path = Path(path)
        part = path.with_name(path.name + ".part")
        method = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
        with zipfile.ZipFile(part, "w") as archive:
            for name, data in self.entries.items():
                info = zipfile.ZipInfo(f"{path.stem}/{name}", _EPOCH)
                packed = method if len(data) > 64 and name != "byteorder" else zipfile.ZIP_STORED
                archive.writestr(info, data, packed, compresslevel=9)
        os.replace(part, path)


def _sizes(meta, key):
    return tuple(size["as_int"] for size in meta[key])


def _one_whole_tensor(group):
    """Whether all names of a payload mean the same tensor, which fills it: only then can it be drawn."""
    metas = [entry["tensor_meta"] for _, entry in group]
    first = metas[0]
    same = all(
        (m["sizes"], m["strides"], m["storage_offset"])
        == (first["sizes"], first["strides"], first["storage_offset"])
        for m in metas
    )
    return same and first["storage_offset"] == {"as_int": 0}


def _can_be_drawn(group):
    if any(entry["use_pickle"] for _, entry in group) or not _one_whole_tensor(group):
        return False
    name, entry = group[0]
    return weights.is_drawn(name, entry["tensor_meta"]["dtype"] in _FLOAT_DTYPES, entry["is_param"])


def strip(source, target, keep_weights=False):
    """Rewrites an archive small: short metadata, no example inputs and, unless kept, no drawable weights."""
    archive = Archive(source)
    for name in [n for n in archive.entries if n.startswith("models/") and n.endswith(".json")]:
        archive.set_json(name, shorten(archive.json(name)))
    for name in [n for n in archive.entries if n.startswith("data/sample_inputs/")]:
        archive.entries[name] = b""
    if not keep_weights:
        for payload, group in archive.weights().items():
            if _can_be_drawn(group):
                archive.entries[f"data/weights/{payload}"] = b""
    archive.set_json(
        "data/weights/model_weights_config.json", archive.json("data/weights/model_weights_config.json")
    )
    archive.entries[".data/serialization_id"] = b"0" * 40  # a hash of the run, which would differ every time
    archive.write(target, compress=True)


def _as_bfloat16(values):
    bits = values.astype("<f4").view("<u4").astype(numpy.uint64)
    rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16  # to nearest, ties to even; drawn values are finite
    return rounded.astype("<u2")


def _payload(name, meta):
    """The bytes of a drawn tensor in its own stride order; the values follow the logical row-major index."""
    sizes, strides = _sizes(meta, "sizes"), _sizes(meta, "strides")
    values = weights.draw(name, sizes)
    storage = _FLOAT_DTYPES[meta["dtype"]][0]
    values = _as_bfloat16(values) if storage == "bfloat16" else values.astype(storage)
    count = 1 + sum((size - 1) * stride for size, stride in zip(sizes, strides)) if math.prod(sizes) else 0
    flat = numpy.zeros(count, values.dtype)
    view = numpy.lib.stride_tricks.as_strided(flat, sizes, [s * values.itemsize for s in strides])
    view[...] = values
    return flat.tobytes()


def fill(source, target):
    """Draws the missing weights of a weightless archive; tensors that share a payload take the first name's."""
    archive = Archive(source)
    for payload, group in archive.weights().items():
        name, entry = group[0]
        missing = not archive.entries[f"data/weights/{payload}"] and _can_be_drawn(group)
        if missing:
            archive.entries[f"data/weights/{payload}"] = _payload(name, entry["tensor_meta"])
    archive.write(target, compress=False)


def main(argv=None):
    parser = argparse.ArgumentParser(prog="python -m etalon.archive", description=__doc__.splitlines()[0])
    parser.add_argument("action", choices=("strip", "fill"))
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--keep-weights", action="store_true", help="strip: shorten only")
    args = parser.parse_args(argv)
    try:
        if args.action == "strip":
            strip(args.source, args.target, args.keep_weights)
        else:
            fill(args.source, args.target)
    except (ModelError, OSError) as error:
        print(f"etalon.archive: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
