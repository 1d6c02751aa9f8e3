"""XNNPACK payloads written by the real ExecuTorch, run by our native engine, against the real runtime."""

import pytest

pytest.importorskip("torch", reason="interop tests skipped: torch is not installed")

import etalon_program
import numpy
import xnn_models

# How far outputs may be from the real runtime's, relative to the largest. fp16 is rounded at other places when
# one engine computes several nodes in float32 before it stores: two halves of ten bits.
_RELATIVE = {
    "fp32": 1e-5,
    "fp16": 2e-3,
    "int8": 1e-5,
    "int8_per_tensor": 1e-5,
    "int8_dynamic": 1e-5,
    "int4": 1e-5,
}
# A sum in another order moves a number by 1e-7, and now and then over the border between two of 256 steps; in a
# deep net that grows. The real runtime's own outputs of ResNet-18 move by 8e-3 when its input changes by 1e-6.
_RELATIVE_OF_NETS = {"int8_dynamic": 3e-2}
# Statically quantised outputs are equal but for numbers that lie halfway between two; those add up in nets.
_QUANTA, _QUANTA_OF_NETS = 1, 3


def _cases():
    for group in xnn_models.GROUPS:
        for precision in ("fp32", "fp16", "int8", "int8_per_tensor", "int8_dynamic", "int4"):
            for feature in xnn_models.features(group, precision):
                yield group, precision, feature.name


@pytest.fixture(scope="session")
def outputs_of(tmp_path_factory):
    """(case, our outputs) of a (group, precision), computed once."""
    done = {}

    def get(group, precision):
        if (group, precision) not in done:
            case = xnn_models.build(group, precision)
            folder = tmp_path_factory.mktemp("outputs")
            done[group, precision] = (
                case,
                etalon_program.call(case.program, case.input_paths(), folder, engine="native"),
            )
        return done[group, precision]

    return get


def _allowed(case, group, precision, output, expected):
    is_net = group in xnn_models.NETS
    quantum = case.info["quanta"][output]
    if quantum > 0:
        return quantum * (_QUANTA_OF_NETS if is_net else _QUANTA) * 1.001
    relative = _RELATIVE_OF_NETS.get(precision) if is_net else None
    return (relative or _RELATIVE[precision]) * max(float(numpy.abs(expected).max(initial=0)), 1e-6)


@pytest.mark.parametrize(("group", "precision", "feature"), list(_cases()))
def test_real_payload_gives_the_real_runtimes_outputs(group, precision, feature, outputs_of):
    case, outputs = outputs_of(group, precision)
    node = xnn_models.GROUPS[group][feature].node
    assert node in case.info["nodes"], f"the exporter wrote no {node}: {sorted(case.info['nodes'])}"
    for i in case.outputs_of(feature):
        actual, expected = outputs[i], case.expected(i)
        assert actual.shape == expected.shape and actual.dtype == expected.dtype
        if expected.dtype.kind != "f":
            assert numpy.array_equal(actual, expected)
            continue
        actual, expected = actual.astype(numpy.float64), expected.astype(numpy.float64)
        worst = float(numpy.abs(actual - expected).max(initial=0))
        allowed = _allowed(case, group, precision, i, expected)
        assert worst <= allowed, f"output {i} is off by {worst:.3g}, allowed {allowed:.3g}"
