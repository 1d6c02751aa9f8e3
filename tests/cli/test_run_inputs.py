"""Inputs of `etalon run` that do not fit the program."""

import ast
import json
import struct

import pytest
from checked_run import assert_ends_well, assert_refused, etalon, temporary_files
from npy_bytes import npy

GOOD = npy("<f4", (1, 1, 8, 8), bytes(256))

BAD = {
    "another shape": npy("<f4", (1, 1, 8, 9), bytes(288)),
    "another rank": npy("<f4", (64,), bytes(256)),
    "no elements": npy("<f4", (0, 1, 8, 8), b""),
    "doubles": npy("<f8", (1, 1, 8, 8), bytes(512)),
    "integers": npy("<i4", (1, 1, 8, 8), bytes(256)),
    "big-endian": npy(">f4", (1, 1, 8, 8), bytes(256)),
    "objects": npy("|O", (1, 1, 8, 8), bytes(256)),
    "too few bytes": npy("<f4", (1, 1, 8, 8), bytes(255)),
    "negative size": npy("<f4", (-1, 1, 8, 8), bytes(256)),
    "huge size": npy("<f4", (9223372036854775807, 1, 8, 8), bytes(256)),
    "sizes whose product wraps": npy("<f4", (4294967296, 4294967296, 8, 8), bytes(256)),
    "many dims": npy("<f4", tuple([1] * 100), bytes(4)),
    "shape that is no tuple": npy("<f4", "import os", bytes(256)),
    "header only": b"\x93NUMPY",
    "nothing": b"",
    "raw of another size": bytes(255),
    "text": b"1 2 3 4\n",
}


@pytest.fixture
def run_on(samples, tmp_path):
    def run(*contents, name="input.npy", extra=()):
        args = []
        for i, content in enumerate(contents):
            path = tmp_path / f"{i}_{name}"
            path.write_bytes(content)
            args += ["--input", path]
        return etalon("run", samples.program, *args, *extra)

    return run


def test_a_fitting_input_runs(run_on):
    end = run_on(GOOD)
    assert end.code == 0, end.err
    assert end.err == ""


def test_fitting_raw_elements_run(run_on):
    assert run_on(bytes(256), name="input.bin").code == 0


@pytest.mark.parametrize("name", BAD)
def test_an_input_that_does_not_fit_is_refused(name, run_on):
    assert_refused(run_on(BAD[name]), mentions=["input 0"])


def test_the_number_of_inputs_must_fit(run_on):
    assert_refused(run_on(GOOD, GOOD), mentions=["2 inputs", "1"])


def test_an_array_in_fortran_order_is_the_same_array(run_on):
    values = struct.pack("<64f", *range(64))
    transposed = struct.pack("<64f", *(8 * (i % 8) + i // 8 for i in range(64)))
    report = []
    for content in (npy("<f4", (1, 1, 8, 8), values), npy("<f4", (1, 1, 8, 8), transposed, fortran=True)):
        end = run_on(content)
        assert end.code == 0, end.err
        report.append(next(line for line in end.out.splitlines() if "output 0" in line))
    assert report[0] == report[1]


def test_cut_inputs_are_refused(run_on):
    for length in range(0, len(GOOD), 5):
        assert_refused(run_on(GOOD[:length]))


def test_headers_with_flipped_bytes_are_survived(run_on):
    for at in range(0, 128, 3):
        damaged = bytearray(GOOD)
        damaged[at] ^= 0x15
        assert_ends_well(run_on(bytes(damaged)), codes=(0, 2))


def test_inputs_that_cannot_be_opened_are_named(samples, tmp_path):
    assert_refused(etalon("run", samples.program, "--input", tmp_path), mentions=[str(tmp_path)])
    assert_refused(etalon("run", samples.program, "--input", tmp_path / "no.npy"), mentions=["no.npy"])


def test_without_inputs_ones_are_used_and_said(samples):
    end = etalon("run", samples.program)
    assert end.code == 0
    assert "ones" in end.err


@pytest.mark.parametrize(
    "flags",
    [["--runs", "0"], ["--runs", "-1"], ["--runs", "many"], ["--warmup", "4294967295"], ["--threads", "0"],
     ["--threads", "99999"], ["--method", "backward"], ["--engine", "gpu"], ["--data", "absent.ptd"], ["--bogus"],
     ["--input"], ["extra"]],
)  # fmt: skip
def test_wrong_flags_are_refused(flags, samples):
    assert_refused(etalon("run", samples.program, *flags))


def test_outputs_are_arrays_that_can_be_read_back(samples, tmp_path):
    assert etalon("run", samples.program, "--output-dir", tmp_path / "out").code == 0
    content = (tmp_path / "out" / "0.npy").read_bytes()
    length = struct.unpack_from("<H", content, 8)[0]
    header = ast.literal_eval(content[10 : 10 + length].decode())
    assert header["shape"] == (1, 10) and header["descr"] == "<f4"
    assert len(content) == 10 + length + 40
    assert temporary_files(tmp_path) == []


def test_times_as_json_count_the_runs(samples):
    end = etalon("run", samples.program, "--runs", 7, "--warmup", 2, "--json", "-")
    report = json.loads(end.out)
    assert len(report["runs_ms"]) == 7
    assert report["schema"]
