"""Makes one file that an engine loads: convert.py MODEL ARTEFACT FOLDER. All come from one archive with the same weights.

One conversion per process, because the converters hold hundreds of megabytes and set global state.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "python")]
ETALON = os.environ.get("ETALON", str(ROOT / "build/release/bin/etalon"))


def zoo_entry(model):
    for entry in json.loads((ROOT / "zoo/zoo.json").read_text(encoding="utf-8"))["models"]:
        if entry["name"] == model:
            return entry
    raise SystemExit(f"the zoo has no model {model}")


def archive(model, folder):
    """The zoo's archive with its weights drawn, the inputs, and what eager PyTorch makes of them."""
    from etalon import archive as archives, weights

    import numpy
    import torch

    entry = zoo_entry(model)
    archives.fill(ROOT / "zoo" / entry["file"], folder / "model.pt2")
    inputs = [weights.draw_input(i, spec["sizes"], spec["dtype"], spec.get("modulus"))
              for i, spec in enumerate(entry["inputs"])]
    for i, array in enumerate(inputs):
        numpy.save(folder / f"input_{i}.npy", array)
    module = torch.export.load(folder / "model.pt2").module()
    with torch.no_grad():
        outputs = module(*[torch.from_numpy(a) for a in inputs])
    outputs = torch.utils._pytree.tree_leaves(outputs)
    for i, tensor in enumerate(t for t in outputs if isinstance(t, torch.Tensor)):
        numpy.save(folder / f"eager_{i}.npy", tensor.numpy())


def _program(folder):
    import torch

    return torch.export.load(folder / "model.pt2")


def _inputs(folder):
    import numpy
    import torch

    return tuple(torch.from_numpy(numpy.load(path)) for path in input_files(folder))


def input_files(folder):
    return sorted(folder.glob("input_*.npy"), key=lambda p: int(p.stem.split("_")[1]))


def real_pte(folder, target):
    from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
    from executorch.exir import to_edge_transform_and_lower

    program = to_edge_transform_and_lower(_program(folder), partitioner=[XnnpackPartitioner()]).to_executorch()
    with open(target, "wb") as file:
        program.write_to_file(file)


def ours_pte(folder, target):
    done = subprocess.run([ETALON, "export", str(folder / "model.pt2"), "--backend", "xnnpack", "-o", str(target), "-q",
                           "--no-etrecord"], check=False)
    if done.returncode != 0:
        sys.exit(done.returncode)  # it has said why


def packed_pte(folder, target):
    """Ours with its weights packed beside it."""
    target.write_bytes((folder / "ours.pte").read_bytes())
    done = subprocess.run([ETALON, "prepack", str(target)], stdout=subprocess.DEVNULL, check=False)
    if done.returncode != 0:
        sys.exit(done.returncode)


def onnx(folder, target):
    import torch

    torch.onnx.export(_program(folder), f=str(target), dynamo=True, external_data=False)


def openvino_ir(folder, target):
    import openvino

    model = openvino.convert_model(folder / "model.onnx")
    openvino.save_model(model, str(target), compress_to_fp16=False)


def tflite(folder, target):
    import litert_torch

    litert_torch.convert(_program(folder).module(), _inputs(folder)).export(str(target))


MAKERS = {"real.pte": real_pte, "ours.pte": ours_pte, "packed.pte": packed_pte, "model.onnx": onnx, "model.xml": openvino_ir,
          "model.tflite": tflite}
BESIDE = {"model.xml": ".bin", "packed.pte": ".pte.prepacked"}  # a second file that comes with it


def main():
    model, artefact, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    if artefact == "model.pt2":
        archive(model, folder)
        return
    target = folder / artefact
    # openvino.save_model insists on the ending, so an unfinished file keeps it.
    part = folder / f"part-{artefact}"
    MAKERS[artefact](folder, part)
    if artefact in BESIDE:
        part.with_suffix(BESIDE[artefact]).replace(target.with_suffix(BESIDE[artefact]))
    part.replace(target)


if __name__ == "__main__":
    main()
