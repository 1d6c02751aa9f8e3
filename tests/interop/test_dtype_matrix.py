"""Data types, schemes and backends of zoo models: every program runs in the real ExecuTorch and in ours, and they agree.

A few models always; with ETALON_MATRIX=1 all of them, which takes hours, as in docs/reference/dtype-matrix.md (tools/dtype_matrix.py writes it).
"""

import os
import re
from pathlib import Path

import numpy
import pytest

pytest.importorskip("torch", reason="interop tests skipped: torch is not installed")

import dtype_matrix as matrix

_PAGE = Path(__file__).resolve().parents[2] / "docs/reference/dtype-matrix.md"
# Trained ones, and one with every operator of the learning path's table; portable kernels take a fifth of a second for it.
_QUICK = ("toy_cnn", "digits_mobilenet", "mobilenet_v3_small")
_MODELS = matrix.models() if os.environ.get("ETALON_MATRIX") else _QUICK
_CELLS = [(m, s, b) for m in _MODELS for s in matrix.SCHEMES for b in matrix.BACKENDS]
_needs_runner = pytest.mark.skipif(matrix.runner() is None, reason="etalon-executorch-runner is not built: no ExecuTorch SDK was found")


@_needs_runner
@pytest.mark.parametrize(("model", "scheme", "backend"), _CELLS, ids=lambda value: value.replace(" ", "_").replace(",", ""))
def test_a_program_gives_the_same_in_the_real_executorch_and_in_ours(model, scheme, backend, tmp_path):
    cell = matrix.measure(model, scheme, backend, tmp_path)
    if cell.failed.startswith("left out"):
        pytest.skip(cell.failed)
    assert not cell.failed, cell.failed
    assert cell.agrees or cell.verdict == matrix.OURS_ALONE, cell
    assert (cell.delegates > 0) == (backend == "xnnpack")


@_needs_runner
@pytest.mark.parametrize("model", _QUICK)
def test_int8_and_half_files_are_smaller(model, tmp_path):
    sizes = {}
    for scheme in matrix.SCHEMES:
        matrix.export(model, scheme, "xnnpack", tmp_path / "model.pte")
        sizes[scheme] = (tmp_path / "model.pte").stat().st_size
    assert sizes["fp16"] < 0.6 * sizes["fp32"]
    assert all(size < 0.55 * sizes["fp32"] for scheme, size in sizes.items() if "int8" in scheme), sizes


def test_the_page_has_every_combination():
    text = _PAGE.read_text()
    for model in matrix.models():
        section = re.search(rf"^## {model}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
        assert section, f"{model} is not on the page; tools/dtype_matrix.py writes it"
        for scheme in matrix.SCHEMES:
            for backend in matrix.BACKENDS:
                assert f"| {scheme} | {backend} |" in section[1], f"{model}, {scheme}, {backend}"


def _judged(scheme, moved=None, **numbers):
    """The verdict on a cell with these numbers, where the real runtime moves by `moved`."""
    cell = matrix.Cell("m", scheme, "xnnpack", **{"snr_between": 30.0, "snr_real": 40.0, "snr_ours": 40.0, "error_ours": 1.0, **numbers})
    return matrix.judge(cell, lambda: moved)


def test_verdicts_are_those_of_the_page():
    assert _judged("fp32", error=9e-6) == "agree"
    assert _judged("fp32", moved=1.0, error=2e-5).startswith("differ")
    assert _judged("fp16", error=1.9e-3) == "agree"
    assert _judged("fp16", moved=1e-3, error=3e-3).startswith("differ")
    assert _judged("fp16", moved=1e-3, error=3e-3, error_ours=1e-3, snr_ours=60.0) == matrix.OURS_ALONE
    assert _judged("int8 static, per channel", error=0.0, steps=0) == "agree: equal"
    assert _judged("int8 static, per channel", error=0.01, steps=1) == "agree: one step"
    assert _judged("int8 static, per channel", moved=0.004, error=0.02, steps=2) == "differ by 2.0e-02, 2 steps"
    assert _judged("int8 dynamic, per channel", moved=0.01, error=0.015) == "agree: as the real runtime with itself"
    assert _judged("int8 dynamic, per channel", moved=0.01, error=1.1) == "differ by 1.1e+00"
    assert _judged("int8 dynamic, per channel", error=0.02, snr_between=38.0) == "agree: as each with float"
    assert _judged("int8 dynamic, per channel", error=0.02, snr_between=30.0).startswith("differ")
    assert _judged("int8 dynamic, per channel", moved=1.0, error=numpy.inf).startswith("differ")


def test_infinity_where_the_other_has_a_number_is_a_difference():
    one, other = numpy.array([1.0, numpy.inf]), numpy.array([1.0, 2.0])
    assert matrix._relative([one], [one]) == 0
    assert matrix._relative([one], [other]) == matrix._relative([other], [one]) == numpy.inf
    assert matrix._relative([one], [numpy.array([numpy.nan, numpy.inf])]) == numpy.inf


def test_the_step_of_outputs_is_found_in_them():
    codes = numpy.array([-7, 2, 5, 9, 41])
    assert matrix._quantum(codes * 0.25) == pytest.approx(0.25)
    assert matrix._quantum(codes[:3] * numpy.float32(0.013)) in (pytest.approx(0.013), pytest.approx(0.039))
    assert matrix._quantum(numpy.random.default_rng(0).standard_normal(100)) is None
    assert matrix._steps([codes * 0.25], [(codes + [0, 0, 1, 0, 0]) * 0.25]) == 1
