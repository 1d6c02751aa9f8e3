"""Makes one file that an engine loads: convert.py MODEL ARTEFACT FOLDER. All come from one archive with the same weights.

One conversion per process, because the converters hold hundreds of megabytes and set global state. The int8 files of all are
calibrated on the same samples, with each converter's own defaults; the half ones are rounded from the same weights.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "python"), str(Path(__file__).resolve().parent)]

import half  # noqa: E402
import quantised  # noqa: E402
import sources  # noqa: E402


def archive(model, folder):
    """The zoo's archive with its weights drawn, the inputs, and what eager PyTorch makes of them."""
    from etalon import archive as archives, weights

    import numpy
    import torch

    entry = sources.zoo_entry(model)
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


def real_pte(folder, target):
    sources.lower(sources.program(folder), target)


def ours_pte(folder, target):
    sources.export_ours(folder, target)


def real_portable_pte(folder, target):
    sources.lower(sources.program(folder), target, delegates=False)


def ours_portable_pte(folder, target):
    sources.export_ours(folder, target, "--backend", "portable")


def packed_pte(folder, target):
    """Ours with its weights packed beside it."""
    target.write_bytes((folder / "ours.pte").read_bytes())
    done = subprocess.run([sources.ETALON, "prepack", str(target)], stdout=subprocess.DEVNULL, check=False)
    if done.returncode != 0:
        sys.exit(done.returncode)


def onnx(folder, target):
    import torch

    torch.onnx.export(sources.program(folder), f=str(target), dynamo=True, external_data=False)


def openvino_ir(folder, target):
    import openvino

    model = openvino.convert_model(folder / "model.onnx")
    openvino.save_model(model, str(target), compress_to_fp16=False)


def tflite(folder, target):
    import litert_torch

    litert_torch.convert(sources.program(folder).module(), sources.inputs(folder)).export(str(target))


MAKERS = {"real.pte": real_pte, "ours.pte": ours_pte, "real_portable.pte": real_portable_pte,
          "ours_portable.pte": ours_portable_pte, "packed.pte": packed_pte, "model.onnx": onnx, "model.xml": openvino_ir,
          "model.tflite": tflite, **quantised.MAKERS, **half.MAKERS}
BESIDE = {"model.xml": ".bin", "int8.xml": ".bin", "packed.pte": ".pte.prepacked"}  # a second file that comes with it


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
