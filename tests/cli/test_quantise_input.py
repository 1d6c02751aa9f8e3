"""Data, flags and models that int8 cannot be made of: one line that says what is wrong, or a result without NaN."""

import json
import math
import struct
import zipfile
import zlib

import pytest
from checked_run import ROOT, assert_refused, etalon
from npy_bytes import npy

ZOO = ROOT / "zoo"
MODEL = "zoo:toy_cnn"  # [1, 1, 8, 8] -> [1, 10]
VALUES = 64


def floats(values, shape=(1, 1, 8, 8)):
    return npy("<f4", shape, struct.pack(f"<{len(values)}f", *values))


def samples(count, value):
    return floats([value(i) for i in range(count * VALUES)], (count, 1, 8, 8))


GOOD = samples(4, lambda i: math.sin(i * 0.7))


def png(width, height, pixel=b"\x80"):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\x00" + pixel * width for _ in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def export(tmp_path, *flags, model=MODEL, dtype="int8"):
    return etalon("export", model, "--dtype", dtype, *flags, "-o", tmp_path / "out.pte", cwd=tmp_path, seconds=30)


def refused(tmp_path, *flags, mentions=(), **others):
    end = export(tmp_path, *flags, **others)
    assert_refused(end, mentions=mentions)
    assert not (tmp_path / "out.pte").exists()
    return end


def write(path, content):
    path.write_bytes(content)
    return path


# ---- data ----


def test_static_int8_without_data_names_the_flag_and_the_way_without(tmp_path):
    refused(tmp_path, mentions=["--calib", "--quant dynamic needs none"])


BAD_DATA = {
    "another shape": (floats([0.0] * 72, (1, 1, 8, 9)), ["shape [1, 1, 8, 9]", "wants [1, 1, 8, 8]"]),
    "another rank": (floats([0.0] * 64, (64,)), ["shape [64]"]),
    "no samples": (npy("<f4", (0, 1, 8, 8), b""), ["[0, 1, 8, 8]"]),
    "doubles": (npy("<f8", (1, 1, 8, 8), bytes(512)), ["float64", "wants float32"]),
    "integers": (npy("<i8", (1, 1, 8, 8), bytes(512)), ["int64", "wants float32"]),
    "a NaN": (floats([math.nan] + [0.0] * 63), ["1 NaN or infinite"]),
    "infinities": (floats([math.inf, -math.inf] + [0.0] * 62), ["2 NaN or infinite"]),
    "cut short": (GOOD[:-3], []),
    "nothing": (b"", []),
    "text": (b"hello\n", []),
}


@pytest.mark.parametrize("name", BAD_DATA)
def test_data_that_do_not_fit_are_refused_by_the_name_of_the_file(name, tmp_path):
    content, mentions = BAD_DATA[name]
    refused(tmp_path, "--calib", write(tmp_path / "bad.npy", content), mentions=["bad.npy", *mentions])


@pytest.mark.parametrize("flag", ["--judge", "--eval"])
def test_data_to_judge_on_are_checked_as_well(flag, tmp_path):
    good, bad = write(tmp_path / "good.npy", GOOD), write(tmp_path / "bad.npy", BAD_DATA["a NaN"][0])
    refused(tmp_path, "--calib", good, flag, bad, mentions=["bad.npy", "NaN"])


def test_a_folder_is_refused_when_it_is_absent_empty_or_mixed(tmp_path):
    refused(tmp_path, "--calib", tmp_path / "absent", mentions=["absent"])
    folder = tmp_path / "folder"
    folder.mkdir()
    refused(tmp_path, "--calib", folder, mentions=["folder", "no .npy, .jpg or .png"])
    write(folder / "notes.txt", b"nothing to see")
    refused(tmp_path, "--calib", folder, mentions=["no .npy, .jpg or .png"])
    write(folder / "a.npy", GOOD)
    write(folder / "b.png", png(8, 8))
    refused(tmp_path, "--calib", folder, mentions=["images and .npy"])


BAD_IMAGES = {
    "text": b"not an image",
    "nothing": b"",
    "cut short": png(64, 64)[:60],
    "a header that promises too much": png(8, 8).replace(struct.pack(">II", 8, 8), struct.pack(">II", 1 << 30, 1 << 30)),
}


@pytest.mark.parametrize("name", BAD_IMAGES)
def test_an_image_that_cannot_be_read_is_named(name, tmp_path):
    (tmp_path / "photos").mkdir()
    write(tmp_path / "photos" / "a.png", png(10, 12))
    write(tmp_path / "photos" / "b.png", BAD_IMAGES[name])
    refused(tmp_path, "--calib", tmp_path / "photos", mentions=["b.png"])


def test_images_that_can_be_read_calibrate(tmp_path):
    (tmp_path / "photos").mkdir()
    for i in range(3):
        write(tmp_path / "photos" / f"{i}.png", png(10 + i, 12, bytes([60 * i])))
    assert export(tmp_path, "--calib", tmp_path / "photos").code == 0


BAD_LABELS = {
    "floats": (floats([0.0] * 4, (4,)), "want int64"),
    "too few": (npy("<i8", (3,), struct.pack("<3q", 0, 1, 2)), "3 labels"),
    "no such class": (npy("<i8", (4,), struct.pack("<4q", 0, 1, 2, 10)), "label 3 is 10"),
    "negative": (npy("<i8", (4,), struct.pack("<4q", 0, -1, 2, 9)), "label 1 is -1"),
}


@pytest.mark.parametrize("name", BAD_LABELS)
def test_labels_that_do_not_fit_are_refused(name, tmp_path):
    content, message = BAD_LABELS[name]
    good, labels = write(tmp_path / "good.npy", GOOD), write(tmp_path / "labels.npy", content)
    refused(tmp_path, "--calib", good, "--labels", labels, mentions=["labels.npy", message])


def test_labels_of_a_model_without_classes_are_refused(tmp_path):
    labels = write(tmp_path / "labels.npy", npy("<i8", (8,), bytes(64)))
    refused(tmp_path, "--calib", "random", "--labels", labels, model="zoo:efficient_sam", mentions=["class scores"])


# ---- ranges ----


@pytest.mark.parametrize("observer", ["mse", "minmax", "percentile", "moving-average"])
@pytest.mark.parametrize("value", [0.0, 1.0, -3.0, 1e-30], ids=str)
def test_constant_data_give_a_model_whose_results_are_numbers(observer, value, tmp_path):
    data = write(tmp_path / "constant.npy", samples(2, lambda i: value))
    assert export(tmp_path, "--calib", data, "--observer", observer).code == 0
    end = etalon("run", tmp_path / "out.pte", "--input", write(tmp_path / "x.npy", samples(1, lambda i: i / 64)),
                 "--output-dir", tmp_path / "outputs")
    assert end.code == 0, end.err
    raw = (tmp_path / "outputs" / "0.npy").read_bytes()
    assert all(math.isfinite(v) for v in struct.unpack("<10f", raw[-40:]))


def test_values_that_overflow_inside_are_refused_by_name(tmp_path):
    data = write(tmp_path / "huge.npy", samples(1, lambda i: 3e38))
    end = refused(tmp_path, "--calib", data)
    assert "NaN or inf" in end.errors[0], end.errors


# ---- flags ----

BAD_FLAGS = {
    "another scheme": (["--quant", "weight-only"], ["weight-only", "want static or dynamic"]),
    "groups": (["--granularity", "group"], ["group", "want channel or tensor"]),
    "4 bits": (["--granularity", "4bit"], ["4 bits are not supported"]),
    "tokens": (["--granularity", "token"], ["token", "want channel or tensor"]),
    "an observer": (["--observer", "entropy"], ["entropy", "mse"]),
    "a percentile": (["--percentile", "12"], ["12", "more than 50"]),
    "no percentile": (["--percentile", "nan"], ["--percentile"]),
    "no samples": (["--calib-samples", "0"], ["--calib-samples"]),
    "a deviation of zero": (["--image-std", "0"], ["--image-std"]),
    "a negative deviation": (["--image-std", "0.2,-0.2,0.2"], ["--image-std"]),
    "a mean that is no number": (["--image-mean", "nan"], ["--image-mean"]),
    "a negative size": (["--image-resize", "-5"], ["--image-resize"]),
    "a layer that is not there": (["--quant-skip", "lstm"], ["lstm", "kinds"]),
    "a result that is not there": (["--quant-skip", "=conv"], ["=conv"]),
    "nothing left": (["--quant-skip", "*"], ["nothing is left to quantise"]),
    "costs without a record": (["--layer-costs", "--no-etrecord"], ["--no-etrecord"]),
}


@pytest.mark.parametrize("name", BAD_FLAGS)
def test_flags_that_ask_for_what_is_not_there_are_refused(name, tmp_path):
    flags, mentions = BAD_FLAGS[name]
    refused(tmp_path, "--calib", write(tmp_path / "good.npy", GOOD), *flags, mentions=mentions)


@pytest.mark.parametrize("dtype", ["int4", "uint8", "q8", "fp8"])
def test_a_dtype_that_is_not_there_names_those_that_are(dtype, tmp_path):
    refused(tmp_path, dtype=dtype, mentions=[dtype, "int8"])


def test_flags_of_int8_without_int8_are_refused(tmp_path):
    refused(tmp_path, "--calib", "random", dtype="fp32", mentions=["--dtype int8"])
    refused(tmp_path, "--layer-costs", dtype="fp32", mentions=["--dtype int8"])


def test_flags_of_measuring_without_measuring_are_refused(tmp_path):
    refused(tmp_path, "--engine", "native", dtype="fp32", mentions=["--engine", "--layer-costs"])
    end = etalon("advise", MODEL, "--calib", "random", cwd=tmp_path)
    assert_refused(end, mentions=["--calib", "--quantise"])


# ---- weights ----


def with_weight(path, name, change):
    """A copy of the trained model with one tensor of its weights changed."""
    with zipfile.ZipFile(ZOO / "toy_cnn.pt2") as source, zipfile.ZipFile(path, "w") as target:
        for item in source.infolist():
            data = source.read(item)
            target.writestr(item, change(data) if item.filename.endswith(f"/{name}") else data)
    return path


def first_value(value):
    return lambda data: struct.pack("<f", value) + data[4:]


@pytest.mark.parametrize("scheme", ["static", "dynamic"])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf], ids=str)
@pytest.mark.parametrize("weight", ["weight_2", "weight_3"])  # a filter, a bias
def test_weights_that_are_no_numbers_are_refused(weight, value, scheme, tmp_path):
    model = with_weight(tmp_path / "bad.pt2", weight, first_value(value))
    end = refused(tmp_path, "--calib", write(tmp_path / "good.npy", GOOD), "--quant", scheme, model=model)
    assert "NaN or inf" in end.errors[0], end.errors


@pytest.mark.parametrize("granularity", ["channel", "tensor"])
def test_weights_of_zeros_give_a_model_whose_results_are_those_of_float(granularity, tmp_path):
    model = with_weight(tmp_path / "zero.pt2", "weight_2", lambda data: bytes(len(data)))
    end = export(tmp_path, "--calib", write(tmp_path / "good.npy", GOOD), "--granularity", granularity, "--json", model=model)
    assert end.code == 0, end.err
    output = json.loads(end.out)["methods"][0]["quantisation"]["outputs"][0]
    assert output["snr_db"] is None or output["snr_db"] > 15, output


# ---- the sweep ----


def sweep(tmp_path, *flags, model="zoo:toy_cnn"):
    return etalon("advise", model, "--quantise", *flags, "--outdir", tmp_path / "sweep", cwd=tmp_path, seconds=120)


BAD_SWEEPS = {
    "no data": ([], ["--calib"]),
    "absent data": (["--calib", "absent.npy"], ["absent.npy"]),
    "a dtype": (["--calib", "random", "--dtype", "int8"], ["--dtype", "--quantise"]),
    "no engine": (["--calib", "random", "--engine", "tpu"], ["tpu"]),
    "images": (["--calib", "random", "--image-std", "0"], ["--image-std"]),
}


@pytest.mark.parametrize("name", BAD_SWEEPS)
def test_a_sweep_that_cannot_begin_says_why(name, tmp_path):
    flags, mentions = BAD_SWEEPS[name]
    assert_refused(sweep(tmp_path, *flags), mentions=mentions)


def test_a_sweep_of_a_program_is_refused(samples, tmp_path):
    assert_refused(sweep(tmp_path, "--calib", "random", model=samples.program), mentions=[".pt2"])


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    folder = tmp_path_factory.mktemp("swept")
    labels = ["--labels", ZOO / "digits_labels.npy"]
    end = sweep(folder, "--calib", ZOO / "digits_images.npy", "--eval", ZOO / "digits_images.npy", *labels,
                "--seconds", 4, "--keep", folder / "kept", "--json")
    assert end.code == 0, end.err
    return folder, json.loads(end.out)


def test_a_sweep_measures_every_candidate(swept):
    _, told = swept
    names = [row["name"] for row in told["candidates"]]
    assert names[0] == "fp32" and {"int8", "int8 minmax", "int8 per tensor", "int8 dynamic", "fp16"} <= set(names)
    for row in told["candidates"]:
        low, high = row["ms_interval"]
        assert 0 < low <= high and row["ms"] > 0 and row["bytes"] > 0
        assert row["exact"] or row["snr_db"] > 5, row
        assert row["top1_agreeing"] <= told["samples"] == 449
        assert row["on_front"] == ("dominated_by" not in row)
    tried = set(names) | {row["name"] for row in told["left_out"]}
    assert {"fp32 math bf16", "fp32 math fp16"} <= tried, "tried, or the reason is told"


def test_a_sweep_tells_the_accuracy_of_the_trained_model(swept):
    _, told = swept
    right = {row["name"]: row["top1_right"] for row in told["candidates"]}
    assert right["fp32"] > 0.95 * told["samples"]
    assert right["int8"] >= right["fp32"] - 0.01 * told["samples"]
    assert told["criterion"] == {"max_drop": 0.005}


def test_a_sweep_recommends_what_meets_the_criterion_and_keeps_the_front(swept):
    folder, told = swept
    rows = {row["name"]: row for row in told["candidates"]}
    assert rows[told["recommended"]["name"]]["meets_criterion"]
    kept = {path.name for path in (folder / "kept").glob("*.pte")}
    assert kept == {row["program"].split("/")[-1] for row in rows.values() if row["on_front"]}
    page = (folder / "sweep" / "sweep.html").read_text()
    assert "<svg" in page and all(name in page for name in rows)


def test_a_sweep_joins_what_layers_cost_with_what_they_save(swept):
    folder, _ = swept
    told = json.loads((folder / "sweep" / "layers" / "layer_costs.json").read_text())
    assert told["float_ms"] > 0 and told["int8_ms"] > 0
    explained = [row for row in told["layers"] if row["gain_db"] is not None]
    assert explained
    for row in explained:
        assert (row["saved_ms"] is None) == ("why_no_time" in row)
    assert any(row["saved_ms"] is not None for row in explained)


# ---- values inside ----


def test_a_comparison_of_float_and_int8_tells_where_they_part(tmp_path):
    for dtype, flags in (("fp32", []), ("int8", ["--calib", ZOO / "digits_images.npy"])):
        assert etalon("export", "zoo:digits_mobilenet", "--dtype", dtype, *flags, "-o", tmp_path / f"{dtype}.pte").code == 0
    end = etalon("compare", "fp32.pte", "int8.pte", "--seconds", 2, "--json", cwd=tmp_path, seconds=60)
    assert end.code == 0, end.err
    layers = json.loads(end.out)["comparisons"][0]["layers"]
    assert len(layers) > 20
    for layer in layers:
        assert layer["max_abs"] == 0 or (layer["snr_db"] > 10 and layer["cosine"] > 0.9), layer
    snrs = [layer["snr_db"] for layer in layers if layer["max_abs"] > 0]
    assert snrs[0] > sum(snrs[-5:]) / 5, "errors add up on the way"
    (tmp_path / "int8.pte.etrecord").unlink()
    end = etalon("compare", "fp32.pte", "int8.pte", "--seconds", 2, "--fresh", cwd=tmp_path, seconds=60)
    assert end.code == 0 and "int8.pte.etrecord is not there" in end.out
