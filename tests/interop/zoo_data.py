"""The zoo's models as tests want them: their rows, data to calibrate and judge on, and how far apart outputs are."""

import json
from pathlib import Path

import numpy
import torch

from etalon import weights

ZOO = Path(__file__).resolve().parents[2] / "zoo"
_CALIBRATION, _EVALUATION = 8, 4


def rows():
    return json.loads((ZOO / "zoo.json").read_text())["models"]


def row(name):
    return next(r for r in rows() if r["name"] == name)


def _of_digits(name):
    return row(name).get("test_set") == "digits"


def _photographs(sizes):
    """Smooth noise with the statistics of normalised photographs."""
    count = _CALIBRATION + _EVALUATION
    generator = torch.Generator().manual_seed(0)
    coarse = torch.randn(count, 3, sizes[2] // 8, sizes[3] // 8, generator=generator)
    fine = torch.randn(count, *sizes[1:], generator=generator)
    return (torch.nn.functional.interpolate(coarse, sizes[2:], mode="bilinear") + 0.3 * fine).numpy()


def _drawn(spec):
    sizes, count = spec["sizes"], _CALIBRATION + _EVALUATION
    return numpy.concatenate([weights.draw_input(i, sizes, spec["dtype"], spec.get("modulus")) for i in range(count)])


def data(name):
    """(calibration, evaluation) samples of a model's input, stacked; every model of the zoo has one."""
    if _of_digits(name):
        images = numpy.load(ZOO / "digits_images.npy")
        return images[:32], images[32:96]
    (spec,) = row(name)["inputs"]
    samples = _photographs(spec["sizes"]) if len(spec["sizes"]) == 4 else _drawn(spec)
    return samples[:_CALIBRATION], samples[_CALIBRATION:]


def fill(name, target):
    """The zoo's archive with the weights that the program `etalon` gives it."""
    from etalon import archive

    archive.fill(ZOO / row(name)["file"], target)
    return target


def snr(reference, actual):
    """In dB; infinite where both are equal."""
    reference = reference.astype(numpy.float64)
    noise = ((reference - actual) ** 2).sum()
    return float(10 * numpy.log10((reference**2).sum() / noise)) if noise else numpy.inf
