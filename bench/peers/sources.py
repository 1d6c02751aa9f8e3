"""What conversions start from: the archive with weights, its inputs, calibration samples, and the two exporters of .pte files."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ETALON = os.environ.get("ETALON", str(ROOT / "build/release/bin/etalon"))
_CALIBRATION_SAMPLES = 8


def zoo_entry(model):
    for entry in json.loads((ROOT / "zoo/zoo.json").read_text(encoding="utf-8"))["models"]:
        if entry["name"] == model:
            return entry
    raise SystemExit(f"the zoo has no model {model}")


def program(folder):
    import torch

    return torch.export.load(folder / "model.pt2")


def input_files(folder, prefix="input"):
    return sorted(folder.glob(f"{prefix}_*.npy"), key=lambda p: int(p.stem.split("_")[-1]))


def inputs(folder, prefix="input"):
    import numpy
    import torch

    return tuple(torch.from_numpy(numpy.load(path)) for path in input_files(folder, prefix))


def calibration(folder):
    """Samples drawn as the inputs are, and different from them; the file that holds them is made when it is missing."""
    import numpy
    from etalon import weights

    path = folder / "calibration.npy"
    if not path.exists():
        model = folder.name.rsplit("-", 1)[0]
        (spec,) = zoo_entry(model)["inputs"]
        samples = [weights.draw_input(i + 1, spec["sizes"], spec["dtype"], spec.get("modulus"))
                   for i in range(_CALIBRATION_SAMPLES)]
        numpy.save(path, numpy.stack(samples)[:, 0] if spec["sizes"][0] == 1 else numpy.concatenate(samples))
    return path


def calibration_batches(folder):
    """The same, one array of the input's shape per sample."""
    import numpy

    samples = numpy.load(calibration(folder))
    return [sample[None] for sample in samples]


def lower(exported, target, delegates=True):
    """ExecuTorch's exporter, with its XNNPACK partitioner or without delegates."""
    import executorch.kernels.quantized  # noqa: F401  what is not delegated wants its out variants
    from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
    from executorch.exir import to_edge_transform_and_lower

    lowered = to_edge_transform_and_lower(exported, partitioner=[XnnpackPartitioner()] if delegates else []).to_executorch()
    with open(target, "wb") as file:
        lowered.write_to_file(file)


def export_ours(folder, target, *options):
    command = [ETALON, "export", str(folder / "model.pt2"), "-o", str(target), "-q", "--no-etrecord", *map(str, options)]
    done = subprocess.run(command, check=False, stdout=subprocess.DEVNULL)
    if done.returncode != 0:
        sys.exit(done.returncode)  # it has said why
