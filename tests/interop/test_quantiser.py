"""Our quantiser: its programs run in the real ExecuTorch, and they are no less accurate than torchao's of the same model
with the same calibration data.

torchao needs up to a minute per model; what it gives is kept in the corpus' cache folder. A model that is not there yet is
quantised only with ETALON_SLOW=1, except for the small ones.
"""

import hashlib
import importlib.metadata
import json
import os
import shutil
import tempfile
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="interop tests skipped: torch is not installed")

import numpy
import torch
import torch.ao.quantization.fx._decomposed  # noqa: F401  defines the operators

import etalon_program
import zoo_data
from corpus import cache_root

_ZOO = zoo_data.ZOO
_FORMAT = 1  # raise it when what is stored, or how it is made, changes
_SMALL = ("digits_mobilenet", "toy_cnn")
_MODELS = (*_SMALL, "mobilenet_v2", "mobilenet_v3_small", "resnet18", "vit_tiny")
_SCHEMES = {
    "static": ("--quant", "static"),
    "static_per_tensor": ("--quant", "static", "--granularity", "tensor"),
    "dynamic": ("--quant", "dynamic"),
    "dynamic_per_tensor": ("--quant", "dynamic", "--granularity", "tensor"),
}
# Where accuracies are this close, the sample decides and not the method.
_EQUAL_DB = 0.3


def _torchao(module, calibration):
    from executorch.backends.xnnpack.quantizer.xnnpack_quantizer import (
        XNNPACKQuantizer,
        get_symmetric_quantization_config,
    )
    from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e

    quantizer = XNNPACKQuantizer()
    quantizer.set_global(get_symmetric_quantization_config(is_per_channel=True))
    prepared = prepare_pt2e(module, quantizer)
    for sample in calibration:
        prepared(torch.from_numpy(sample[None]))
    return convert_pt2e(prepared)


def _make(name, folder):
    calibration, evaluation = zoo_data.data(name)
    filled = zoo_data.fill(name, folder / "filled.pt2")
    with torch.no_grad():
        module = torch.export.load(filled).module()
        results = {"float": [module(torch.from_numpy(x[None])).numpy() for x in evaluation]}
        converted = _torchao(module, calibration)
        results["torchao"] = [converted(torch.from_numpy(x[None])).numpy() for x in evaluation]
    filled.unlink()
    numpy.save(folder / "calibration.npy", calibration)
    numpy.save(folder / "evaluation.npy", evaluation)
    for key, outputs in results.items():
        numpy.save(folder / f"{key}.npy", numpy.concatenate(outputs))


def _torchao_case(name):
    """The folder with calibration, evaluation, float and torchao arrays; slow the first time."""
    versions = [importlib.metadata.version(p) for p in ("torch", "torchao", "executorch")]
    archive_bytes = (_ZOO / f"{name}.pt2").read_bytes()
    digest = hashlib.sha256(archive_bytes + f"{versions} {_FORMAT}".encode()).hexdigest()[:12]
    folder = cache_root() / f"torchao-{name}-{digest}"
    if not (folder / "torchao.npy").exists():
        if name not in _SMALL and not os.environ.get("ETALON_SLOW"):
            pytest.skip(f"{name}: torchao's model is not in the cache; set ETALON_SLOW=1 to make it")
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as part:
            _make(name, Path(part))
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(part, folder)
    return folder


def _quantise(name, target, *options):
    text = etalon_program.run_json(
        "export", f"zoo:{name}", "--dtype", "int8", "--backend", "portable", "--no-etrecord", "-o", target, "--json", *options
    )
    return text["methods"][0]["quantisation"]


def _real_program(path):
    from real_runtime import RealProgram

    import executorch.kernels.quantized  # noqa: F401  registers the quantised operators

    return RealProgram(path)


@pytest.mark.parametrize("name", _MODELS)
def test_int8_is_no_less_accurate_than_torchaos(name, tmp_path, capsys):
    folder = _torchao_case(name)
    floats, theirs = numpy.load(folder / "float.npy"), numpy.load(folder / "torchao.npy")
    target = tmp_path / "model.pte"
    _quantise(name, target, "--calib", folder / "calibration.npy")
    program = _real_program(target)
    ours = numpy.concatenate([program.call([x[None]])[0] for x in numpy.load(folder / "evaluation.npy")])
    with capsys.disabled():
        print(f"\n{name}: SNR {zoo_data.snr(floats, ours):.1f} dB, torchao {zoo_data.snr(floats, theirs):.1f} dB", end="")
    assert zoo_data.snr(floats, ours) >= zoo_data.snr(floats, theirs) - _EQUAL_DB


@pytest.mark.parametrize("scheme", _SCHEMES)
@pytest.mark.parametrize("name", ("digits_mobilenet", "mobilenet_v3_small", "vit_tiny"))
def test_every_scheme_runs_alike_in_the_real_executorch_and_in_ours(name, scheme, tmp_path):
    calibration, evaluation = zoo_data.data(name)
    numpy.save(tmp_path / "calibration.npy", calibration)
    numpy.save(tmp_path / "x.npy", evaluation[:1])
    target = tmp_path / "model.pte"
    options = _SCHEMES[scheme] + (("--calib", tmp_path / "calibration.npy") if "dynamic" not in scheme else ())
    _quantise(name, target, *options)
    real = _real_program(target).call([evaluation[:1]])[0]
    floats = etalon_program.export(_ZOO / f"{name}.pt2", tmp_path / "float.pte")
    reference = etalon_program.call(floats, [tmp_path / "x.npy"], tmp_path / "float")[0]
    for engine in ("portable", "native"):
        ours = etalon_program.call(target, [tmp_path / "x.npy"], tmp_path / engine, engine=engine)[0]
        # Sums in another order move values over the edge between two codes, and in a network of random weights such steps
        # grow like every other error of int8: two engines may differ by what int8 itself loses, and by no more.
        assert zoo_data.snr(real, ours) >= zoo_data.snr(reference, real), f"{name}, {scheme}, {engine}"


@pytest.mark.parametrize("name", _SMALL)
def test_trained_models_lose_at_most_half_a_point(name, tmp_path, capsys):
    images = _ZOO / "digits_images.npy"
    result = _quantise(
        name, tmp_path / "model.pte", "--calib", images, "--calib-samples", "32", "--judge", images, "--labels", _ZOO / "digits_labels.npy"
    )
    top1 = result["top1"]
    before, after = (100 * top1[key] / top1["samples"] for key in ("float_right", "int8_right"))
    with capsys.disabled():
        print(f"\n{name}: {before:.2f} % right in float, {after:.2f} % in int8", end="")
    assert after >= before - 0.5


def test_the_same_export_twice_is_the_same_file(tmp_path):
    for target in ("a.pte", "b.pte"):
        _quantise("digits_mobilenet", tmp_path / target, "--calib", _ZOO / "digits_images.npy")
    assert (tmp_path / "a.pte").read_bytes() == (tmp_path / "b.pte").read_bytes()


def test_an_accuracy_that_is_reported_is_that_of_the_file(tmp_path):
    calibration, evaluation = zoo_data.data("digits_mobilenet")
    numpy.save(tmp_path / "calibration.npy", calibration)
    numpy.save(tmp_path / "evaluation.npy", evaluation)
    target = tmp_path / "model.pte"
    told = _quantise(
        "digits_mobilenet", target, "--calib", tmp_path / "calibration.npy", "--judge", tmp_path / "evaluation.npy"
    )["outputs"][0]["snr_db"]
    floats = _real_program(etalon_program.export(_ZOO / "digits_mobilenet.pt2", tmp_path / "float.pte"))
    int8 = _real_program(target)
    reference, actual = (numpy.concatenate([p.call([x[None]])[0] for x in evaluation]) for p in (floats, int8))
    assert abs(told - zoo_data.snr(reference, actual)) < 0.5


_BAD = (
    ([], "needs calibration data"),
    (["--calib", "absent.npy"], "absent.npy"),
    (["--calib", "wrong_shape.npy"], "has the shape [2, 3, 8, 8], input x wants [1, 1, 8, 8]"),
    (["--calib", "nan.npy"], "nan.npy: has 1 NaN or infinite elements"),
    (["--calib", "double.npy"], "is float64, input x wants float32"),
    (["--calib", "empty"], "holds no .npy, .jpg or .png files"),
    (["--calib", "good.npy", "--calib", "good.npy"], "2 data sources for 1 tensor inputs"),
    (["--calib", "good.npy", "--observer", "entropy"], "--observer is 'entropy', want minmax"),
    (["--calib", "good.npy", "--granularity", "group"], "--granularity is 'group', want channel or tensor"),
    (["--calib", "good.npy", "--quant-skip", "lstm"], "nothing that can be quantised is called 'lstm'"),
    (["--calib", "good.npy", "--labels", "good.npy"], "labels want int64"),
)


@pytest.mark.parametrize("options, message", _BAD, ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else "")
def test_bad_input_is_an_error_of_one_line(options, message, tmp_path):
    good = numpy.load(_ZOO / "digits_images.npy")[:4]
    numpy.save(tmp_path / "good.npy", good)
    numpy.save(tmp_path / "double.npy", good.astype("float64"))
    numpy.save(tmp_path / "wrong_shape.npy", numpy.zeros((2, 3, 8, 8), "float32"))
    bad = good.copy()
    bad[0, 0, 0, 0] = numpy.nan
    numpy.save(tmp_path / "nan.npy", bad)
    (tmp_path / "empty").mkdir()
    words = [tmp_path / o if o.endswith(".npy") or o == "empty" else o for o in options]
    failed = etalon_program.fail("export", "zoo:digits_mobilenet", "--dtype", "int8", *words, "-o", tmp_path / "model.pte")
    assert message in failed and len(failed.strip().splitlines()) == 1, failed
    assert not (tmp_path / "model.pte").exists()


def test_a_model_that_is_quantised_already_is_refused(tmp_path):
    class Quantised(torch.nn.Module):
        def forward(self, x):
            return torch.ops.quantized_decomposed.quantize_per_tensor(x, 0.1, 0, -128, 127, torch.int8)

    path = tmp_path / "model.pt2"
    torch.export.save(torch.export.export(Quantised(), (torch.ones(2),)), path)
    failed = etalon_program.fail("export", path, "--dtype", "int8", "--quant", "dynamic", "-o", tmp_path / "model.pte")
    assert "the model is quantised already" in failed


def test_a_folder_of_images_calibrates_a_model(tmp_path):
    image_module = pytest.importorskip("PIL.Image", reason="images: Pillow is not installed")
    pixels = numpy.random.default_rng(0).integers(0, 255, (40, 30, 3), "uint8")
    for name in ("a.png", "b.jpg"):
        image_module.fromarray(pixels).save(tmp_path / name)
    result = _quantise("mobilenet_v3_small", tmp_path / "model.pte", "--calib", tmp_path)
    assert result["samples"] == 2 and not result["random_data"]


def test_images_of_a_zoo_model_are_prepared_as_it_says(tmp_path):
    """The digits as photographs give the very ranges, and so the very program, that the stored arrays give."""
    image_module = pytest.importorskip("PIL.Image", reason="images: Pillow is not installed")
    digits = numpy.load(_ZOO / "digits_images.npy")[:4]
    # Pixels have 17 levels, 0 to 16; 255 / 15 * 15 is the largest that both 8 bits and the levels hold exactly.
    levels = numpy.round((digits + 1) * 8).clip(0, 15)
    (tmp_path / "images").mkdir()
    for i, level in enumerate(levels):
        image_module.fromarray((level[0] * 17).astype("uint8"), "L").save(tmp_path / "images" / f"{i}.png")
    numpy.save(tmp_path / "same.npy", ((levels * 17 / numpy.float32(255) - 0.5) / 0.5).astype("float32"))
    results = [
        _quantise("digits_mobilenet", tmp_path / "model.pte", "--calib", tmp_path / source, "--judge", tmp_path / "same.npy")
        for source in ("images", "same.npy")
    ]
    assert results[0]["outputs"][0]["snr_db"] == pytest.approx(results[1]["outputs"][0]["snr_db"], abs=0.3)


@pytest.mark.parametrize("name", ("digits_mobilenet", "mobilenet_v2"))
def test_delegated_int8_is_as_accurate_in_the_real_executorch(name, tmp_path):
    calibration, evaluation = zoo_data.data(name)
    numpy.save(tmp_path / "calibration.npy", calibration)
    target = tmp_path / "model.pte"
    etalon_program.run(
        "export", f"zoo:{name}", "--dtype", "int8", "--calib", tmp_path / "calibration.npy", "--no-etrecord", "-o", target
    )
    portable = tmp_path / "portable.pte"
    told = _quantise(name, portable, "--calib", tmp_path / "calibration.npy")["outputs"][0]["snr_db"]
    floats = _real_program(etalon_program.export(_ZOO / f"{name}.pt2", tmp_path / "float.pte"))
    samples = calibration[:8]
    reference, actual = (numpy.concatenate([p.call([x[None]])[0] for x in samples]) for p in (floats, _real_program(target)))
    assert zoo_data.snr(reference, actual) >= told - 1.5
