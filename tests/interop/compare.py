"""How equal outputs must be: relative to the magnitude of the whole output, by the precision computed in."""

import numpy

_TOLERANCE = {"fp32": 1e-4, "fp64": 1e-9, "fp16": 4e-3, "bf16": 3e-2}


def assert_close(actual, expected, dtype, what):
    """Every output has the expected shape, type and values; integers and bools are equal."""
    assert len(actual) == len(expected), f"{what}: {len(actual)} outputs, expected {len(expected)}"
    for i, (a, e) in enumerate(zip(actual, expected)):
        assert a.shape == e.shape, f"{what}: output {i} has shape {a.shape}, expected {e.shape}"
        assert a.dtype == e.dtype, f"{what}: output {i} is {a.dtype}, expected {e.dtype}"
        if e.dtype.kind != "f":
            assert numpy.array_equal(a, e), (
                f"{what}: output {i} differs in {int((a != e).sum())} of {e.size} values"
            )
            continue
        a, e = a.astype(numpy.float64), e.astype(numpy.float64)
        finite = numpy.isfinite(e)
        assert numpy.array_equal(a[~finite], e[~finite], equal_nan=True), (
            f"{what}: output {i} differs in inf or nan"
        )
        worst = numpy.abs(a - e)[finite].max(initial=0.0)
        allowed = _TOLERANCE[dtype] * max(numpy.abs(e[finite]).max(initial=0.0), 1e-6)
        assert worst <= allowed, f"{what}: output {i} is off by {worst:.3g}, allowed {allowed:.3g}"
