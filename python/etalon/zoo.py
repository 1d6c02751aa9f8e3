"""Makes the zoo: weightless archives, trained archives, expected outputs, the digits test set and the index.

    python -m etalon.zoo --outdir zoo [--only NAME ...]

Everything is deterministic except the last bits of the expected outputs, which depend on PyTorch's kernels.
"""

import argparse
import importlib.metadata
import json
import sys
import tempfile
from pathlib import Path

import numpy

from etalon import weights
from etalon.archive import strip
from etalon.digits import load_digits
from etalon.export import save_pt2, trace
from etalon.model import ModelError, builtin_names, get_model

_STORED_VALUES = 4096
_TRAINED_ON = {"toy_cnn": "digits", "digits_mobilenet": "digits"}
# How photographs become inputs: mean and deviation of values in 0..1, the shorter side before the centre is cut out.
_IMAGENET = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225], "resize": 256}
_PREPROCESSING = {
    "efficientnet_b0": _IMAGENET,
    "mobilenet_v2": _IMAGENET,
    "mobilenet_v3_large": _IMAGENET,
    "mobilenet_v3_small": _IMAGENET,
    "resnet18": _IMAGENET,
    "resnet50": _IMAGENET,
    "vit_tiny": {"mean": [0.5] * 3, "std": [0.5] * 3, "resize": 248},
    "digits_mobilenet": {"mean": [0.5] * 3, "std": [0.5] * 3, "resize": 8},
    "toy_cnn": {"mean": [0.5] * 3, "std": [0.5] * 3, "resize": 8},
}
# One row per role and a few ranks; the C++ test reads the same rows.
_VECTORS = (
    ("features.0.0.weight", (16, 3, 3, 3)),
    ("classifier.3.weight", (1000, 1024)),
    ("classifier.3.bias", (1000,)),
    ("layer1.0.bn1.weight", (64,)),
    ("layer1.0.bn1.running_mean", (64,)),
    ("layer1.0.bn1.running_var", (64,)),
    ("pos_embed", (1, 197, 192)),
    ("encoder.embeddings.word_embeddings.weight", (30522, 128)),
    ("input_0", (1, 3, 224, 224)),
)


def _write_json(path, value):
    path.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")


def _drawn_inputs(definition):
    import torch

    inputs = definition.get_example_inputs()
    arrays = [
        weights.draw_input(i, tuple(x.shape), x.numpy().dtype, definition.input_modulus.get(i))
        for i, x in enumerate(inputs)
    ]
    return [torch.from_numpy(a) for a in arrays]


def _input_index(inputs, definition):
    rows = []
    for i, tensor in enumerate(inputs):
        row = {"sizes": list(tensor.shape), "dtype": str(tensor.dtype).removeprefix("torch.")}
        if i in definition.input_modulus:
            row["modulus"] = definition.input_modulus[i]
        rows.append(row)
    return rows


def _store_outputs(name, module, inputs, outdir):
    import torch

    with torch.no_grad():
        outputs = module(*inputs)
    outputs = [outputs] if isinstance(outputs, torch.Tensor) else list(outputs)
    rows = []
    for i, tensor in enumerate(outputs):
        file = f"{name}.expected.npy" if i == 0 else f"{name}.expected_{i}.npy"
        flat = tensor.float().contiguous().reshape(-1).numpy()
        numpy.save(outdir / file, flat[:_STORED_VALUES])
        rows.append(
            {
                "file": file,
                "sizes": list(tensor.shape),
                "stored": min(flat.size, _STORED_VALUES),
                "max_abs": float(numpy.abs(flat).max()),
            }
        )
    return rows


def _accuracy(module):
    from etalon.train_digits import accuracy

    _, _, images, labels = load_digits()
    return round(accuracy(module, images, labels), 4)


def make_model(name, outdir):
    """Writes one model's archive and expected outputs; returns its row of the index."""
    import torch

    definition = get_model(name)
    torch.manual_seed(0)
    module = definition.get_eager_model().eval()
    with tempfile.TemporaryDirectory() as folder:
        full = Path(folder) / f"{name}.pt2"
        save_pt2(trace(definition, module), full)
        strip(full, outdir / f"{name}.pt2", keep_weights=definition.trained)
    if not definition.trained:
        weights.fill(module)
    inputs = _drawn_inputs(definition)
    packages = ("torch",) + tuple(definition.packages)
    row = {
        "name": name,
        "file": f"{name}.pt2",
        "description": definition.description,
        "weights": "trained" if definition.trained else "drawn",
        "parameters": sum(p.numel() for p in module.parameters()),
        "inputs": _input_index(inputs, definition),
        "outputs": _store_outputs(name, module, inputs, outdir),
        "made_with": {p: importlib.metadata.version(p) for p in packages},
    }
    if name in _TRAINED_ON:
        row["test_set"], row["test_accuracy"] = _TRAINED_ON[name], _accuracy(module)
    if name in _PREPROCESSING:
        row["preprocessing"] = _PREPROCESSING[name]
    return row


def make_digits(outdir):
    """Writes the test split of the digits as .npy; returns its row of the index."""
    _, _, images, labels = load_digits()
    numpy.save(outdir / "digits_images.npy", images.numpy())
    numpy.save(outdir / "digits_labels.npy", labels.numpy())
    return {
        "name": "digits",
        "images": "digits_images.npy",
        "labels": "digits_labels.npy",
        "count": len(labels),
        "source": "scikit-learn load_digits, pixels / 8 - 1",
        "split": "25 % held out, not seen in training",
    }


def make_vectors(outdir):
    """Writes the first values of a few names, as bits too, for the C++ side of the rule."""
    rows = []
    for name, sizes in _VECTORS:
        is_input = name.startswith("input_")
        values = weights.draw_input(0, sizes, "float32") if is_input else weights.draw(name, sizes)
        first = values.reshape(-1)[:4]
        rows.append(
            {
                "name": name,
                "sizes": list(sizes),
                "role": "input" if is_input else weights.role_of(name, len(sizes)),
                "seed": f"{weights.seed_of(name):016x}",
                "values": [float(v) for v in first],
                "bits": [f"{b:08x}" for b in first.view(numpy.uint32)],
                "last": float(values.reshape(-1)[-1]),
            }
        )
    _write_json(outdir / "draw_vectors.json", {"schema": "etalon-draw-vectors/1", "vectors": rows})


def _merge(index_path, rows):
    """Rows of this run replace those of the same name in an index that is already there."""
    old = json.loads(index_path.read_text()) if index_path.exists() else {"models": []}
    merged = {row["name"]: row for row in old["models"]} | {row["name"]: row for row in rows}
    return [merged[name] for name in sorted(merged)]


def main(argv=None):
    parser = argparse.ArgumentParser(prog="python -m etalon.zoo", description=__doc__.splitlines()[0])
    parser.add_argument("--outdir", type=Path, default=Path("zoo"))
    parser.add_argument(
        "--only", nargs="+", metavar="NAME", help="these models; the others are left as they are"
    )
    args = parser.parse_args(argv)
    args.outdir.mkdir(parents=True, exist_ok=True)
    try:
        rows = []
        for name in args.only or builtin_names():
            rows.append(make_model(name, args.outdir))
            print(f"{name}: {(args.outdir / rows[-1]['file']).stat().st_size} bytes", flush=True)
        index = args.outdir / "zoo.json"
        _write_json(
            index,
            {
                "schema": "etalon-zoo/1",
                "models": _merge(index, rows),
                "test_sets": [make_digits(args.outdir)],
            },
        )
        make_vectors(args.outdir)
    except (ModelError, OSError) as error:
        print(f"etalon.zoo: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
