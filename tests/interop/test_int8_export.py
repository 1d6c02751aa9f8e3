"""`etalon export --dtype int8`: what our own quantiser makes of zoo models is delegated whole, the real runtime runs it, and
our engine gives the same.

Calibration data are random here: what counts is that both engines compute the same, not what it means.
"""

import re

import pytest

pytest.importorskip("torch", reason="interop tests skipped: torch is not installed")

import etalon_program
import numpy

# Outside of delegates: what XNNPACK has no node for.
_OUTSIDE = {"vit_tiny": {"aten::native_layer_norm.out"}}
_SCHEMES = [(quant, granularity) for quant in ("static", "dynamic") for granularity in ("channel", "tensor")]
_SMALL = ("toy_cnn", "digits_mobilenet")
_CASES = [(name, *scheme) for name in _SMALL for scheme in _SCHEMES]
_CASES += [("mobilenet_v3_small", "static", "channel"), ("mobilenet_v2", "dynamic", "channel"), ("vit_tiny", "static", "channel")]
# A sum in another order may move a dynamically quantised number by a step, which fifty layers enlarge. Layer norms and
# attention between int8 layers differ in their last bits, with the same effect: there the real runtime's own outputs tell how far.
_RELATIVE = {"static": 1e-6, "dynamic": 3e-2}


def _first_input(pte):
    """The sizes in "f32[1, 3, 8, 8]"."""
    method = etalon_program.run_json("inspect", pte, "--json")["methods"][0]
    return [int(n) for n in re.findall(r"\d+", method["inputs"][0].split("[")[1])]


def _outside(pte):
    operators = etalon_program.run_json("inspect", pte, "--json")["methods"][0]["operators"]
    return {op for op in operators if not op.startswith("delegate ")}


@pytest.mark.parametrize(("name", "quant", "granularity"), _CASES)
def test_both_engines_compute_the_same(name, quant, granularity, tmp_path):
    from real_runtime import RealProgram, moves

    pte = tmp_path / "int8.pte"
    options = ["--backend", "xnnpack", "--dtype", "int8", "--quant", quant, "--granularity", granularity]
    etalon_program.run(
        "export", f"zoo:{name}", *options, "--calib", "random", "--calib-samples", "2", "--verify", "-o", pte
    )
    assert _outside(pte) == _OUTSIDE.get(name, set())
    x = numpy.random.default_rng(0).standard_normal(_first_input(pte)).astype(numpy.float32)
    numpy.save(tmp_path / "in.npy", x)
    real = RealProgram(pte).call([x])
    ours = etalon_program.call(pte, [tmp_path / "in.npy"], tmp_path / "out", engine="native")
    # Each of two runtimes may be off by what a change of the input's last bits does.
    own = [2 * far for far in moves(pte, [x])] if name in _OUTSIDE else [0] * len(real)
    for r, o, far in zip(real, ours, own):
        assert numpy.isfinite(r).all() and r.std() > 0
        assert float(numpy.abs(r - o).max()) <= max(far, _RELATIVE[quant] * float(numpy.abs(r).max()))
