"""`etalon export --dtype fp16`: programs of float models in half precision, and of quantised ones whose rest is half.

The real runtime and our engine run them; outputs are held against PyTorch's of the float32 model.
"""

import pytest

pytest.importorskip("torch", reason="interop tests skipped: torch is not installed")

import cached_quantised
import corpus
import etalon_program
import numpy
import xnnpack_cases

# Relative to the largest output. Half has 11 bits, and every layer rounds; beyond that nets differ in how they add up.
_RELATIVE = {"zoo_toy_cnn": 5e-3, "more_rare_operators": 5e-3}
_RELATIVE_OF_NETS = 2e-2
_CORPUS = ("densenet", "mobilenet_v2", "squeeze_excite")
_CASES = ("more_rare_operators", "zoo_toy_cnn", "zoo_digits_mobilenet", "more_lcnet", "more_deit")
# An engine may keep float32 between nodes where the other stores half: two roundings of 2^-11, seen through the net.
_BETWEEN_ENGINES = 1e-2


def _case(name):
    return corpus.build(name) if name in _CORPUS else corpus.build_entry(xnnpack_cases.entry(name))


def _as_half(arrays):
    return [a.astype(numpy.float16) if a.dtype == numpy.float32 else a for a in arrays]


def _both(pte, arrays, folder):
    """Outputs of the real runtime and of our engine."""
    import executorch.kernels.quantized  # noqa: F401 the kernels of what is not delegated
    from real_runtime import RealProgram

    paths = []
    for i, array in enumerate(arrays):
        paths.append(folder / f"in{i}.npy")
        numpy.save(paths[-1], array)
    return RealProgram(pte).call(arrays), etalon_program.call(pte, paths, folder / "out", engine="native")


def _worst(actual, expected):
    scale = max(float(numpy.abs(expected).max(initial=0)), 1e-6)
    return float(numpy.abs(actual.astype(numpy.float64) - expected).max(initial=0)) / scale


def _size(path):
    return path.stat().st_size


@pytest.mark.parametrize("name", _CORPUS + _CASES)
def test_half_precision_programs_run_in_both_engines(name, tmp_path):
    case, half, full = _case(name), tmp_path / "half.pte", tmp_path / "full.pte"
    for target, dtype in ((half, "fp16"), (full, "fp32")):
        etalon_program.run(
            "export", case.pt2, "--backend", "xnnpack", "--dtype", dtype, "--verify", "-o", target
        )
    real, ours = _both(half, _as_half(case.inputs(0)), tmp_path)
    for i, (r, o, expected) in enumerate(zip(real, ours, case.outputs(0))):
        assert r.dtype == o.dtype == numpy.float16
        assert _worst(r, expected) <= _RELATIVE.get(name, _RELATIVE_OF_NETS), f"real runtime, output {i}"
        assert _worst(o, r) <= _BETWEEN_ENGINES, f"our engine beside the real runtime, output {i}"
    if _size(full) > 1_000_000:
        assert _size(half) < 0.6 * _size(full), f"{_size(half)} bytes beside {_size(full)} in float32"


def _outside(pte):
    operators = etalon_program.run_json("inspect", pte, "--json")["methods"][0]["operators"]
    return sum(n for op, n in operators.items() if not op.startswith("delegate "))


@pytest.mark.parametrize("name", ["mobilenet_v2", "squeeze_excite"])
def test_half_precision_leaves_nothing_outside(name, tmp_path):
    etalon_program.run(
        "export", _case(name).pt2, "--backend", "xnnpack", "--dtype", "fp16", "-o", tmp_path / "half.pte"
    )
    assert _outside(tmp_path / "half.pte") == 0


@pytest.mark.parametrize("scheme", ["static", "dynamic"])
@pytest.mark.parametrize("name", ["mlp", "block", "pieces", "mobilenet_v3_small"])
def test_quantised_models_have_the_rest_in_half_precision(name, scheme, tmp_path):
    case = cached_quantised.case_of(name, scheme)
    pte = tmp_path / "half.pte"
    etalon_program.run("export", case.pt2, "--backend", "xnnpack", "--dtype", "fp16", "--verify", "-o", pte)
    real, ours = _both(pte, _as_half(case.inputs()), tmp_path)
    for i, (r, o, expected) in enumerate(zip(real, ours, case.outputs("eager"))):
        quantum = case.info["quanta"][i]
        allowed = 4e-2 * float(numpy.abs(expected).max())  # as dynamic scales per row differ from those per tensor
        if quantum > 0:
            allowed = 2.1 * quantum  # half rounds once more before the last quantisation
        for what, actual in (("real runtime", r), ("our engine", o)):
            assert actual.dtype == numpy.float16
            worst = float(numpy.abs(actual.astype(numpy.float64) - expected).max())
            assert worst <= allowed, f"{what}, output {i} is off by {worst:.3g}, allowed {allowed:.3g}"
