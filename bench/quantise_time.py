"""Time of a static int8 export with 32 calibration images: `etalon export --dtype int8` beside torchao's prepare_pt2e and
convert_pt2e with XNNPACKQuantizer, and ExecuTorch's lowering to XNNPACK.

Both start from the same .pt2 and the same images on disk and end with a .pte; both are whole processes with all CPUs. CPU seconds
stand beside those of the clock, because a busy machine stretches only the latter.
"""

import json
import resource
import sys
import tempfile
from pathlib import Path

from children import ETALON, ROOT, measure

IMAGES = 32
REAL = """
import sys
import numpy, torch
import executorch.kernels.quantized
from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
from executorch.backends.xnnpack.quantizer.xnnpack_quantizer import XNNPACKQuantizer, get_symmetric_quantization_config
from executorch.exir import to_edge_transform_and_lower
from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e
quantizer = XNNPACKQuantizer()
quantizer.set_global(get_symmetric_quantization_config(is_per_channel=True))
images = torch.from_numpy(numpy.load(sys.argv[2]))
with torch.no_grad():
    prepared = prepare_pt2e(torch.export.load(sys.argv[1]).module(), quantizer)
    for image in images:
        prepared(image[None])
    exported = torch.export.export(convert_pt2e(prepared), (images[:1],))
    program = to_edge_transform_and_lower(exported, partitioner=[XnnpackPartitioner()]).to_executorch()
with open(sys.argv[3], "wb") as file:
    program.write_to_file(file)
"""


def _cpu_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _timed(command):
    """(seconds of the clock, of the CPUs)"""
    before = _cpu_seconds()
    seconds, _ = measure(command)
    return seconds, _cpu_seconds() - before


def _inputs(model, folder):
    """The model with its weights, and images drawn as its input is; None for models of other inputs."""
    import numpy
    from etalon import export, weights

    rows = json.loads((ROOT / "zoo/zoo.json").read_text(encoding="utf-8"))["models"]
    (spec,) = next(row for row in rows if row["name"] == model)["inputs"]
    if len(spec["sizes"]) != 4:
        return None
    export.build_pt2(model, Path(folder) / "model.pt2")
    images = numpy.concatenate([weights.draw_input(i, spec["sizes"], spec["dtype"]) for i in range(IMAGES)])
    numpy.save(Path(folder) / "images.npy", images)
    return Path(folder) / "model.pt2", Path(folder) / "images.npy"


def run(models, rounds):
    print(f"int8 export, .pt2 and {IMAGES} images -> XNNPACK .pte (s, whole process; best of {rounds} for ours, the real path once)")
    print(f"{'model':20} {'ours':>8} {'CPU':>8} | {'real':>8} {'CPU':>8} | {'ratio':>6}")
    for model in models:
        with tempfile.TemporaryDirectory() as folder:
            if (files := _inputs(model, folder)) is None:
                print(f"{model:20} is not a model of images")
                continue
            pt2, images = map(str, files)
            target = str(Path(folder) / "model.pte")
            ours = min(_timed([ETALON, "export", pt2, "--dtype", "int8", "--calib", images, "-o", target, "-q", "--no-etrecord"])
                       for _ in range(rounds))
            line = f"{model:20} {ours[0]:8.2f} {ours[1]:8.2f} | "
            try:
                real = _timed([sys.executable, "-c", REAL, pt2, images, target])
                line += f"{real[0]:8.2f} {real[1]:8.2f} | {real[0] / ours[0]:5.1f}x"
            except (RuntimeError, ImportError) as error:
                line += f"not measured: {str(error)[-60:]}"
            print(line, flush=True)
    print()
