"""One test per registered operator: it passes on every sample that PyTorch has for it, or is a known gap."""

import argparse
import json

import pytest

pytest.importorskip("torch", reason="conformance skipped: torch is not installed")

import op_db_conformance
import ops_library

_SAMPLES = 12
_GAPS = json.loads(op_db_conformance._GAPS.read_text())


def _library():
    path = ops_library.find()
    return ops_library.OpsLibrary(path) if path else None


_LIBRARY = _library()
_NAMES = sorted(op["name"] for op in _LIBRARY.ops) if _LIBRARY else []


@pytest.fixture(scope="session")
def rows():
    options = argparse.Namespace(only=None, own_only=False, samples=_SAMPLES)
    return {row["name"]: row for row in op_db_conformance.drive(_LIBRARY, options)[0]}


@pytest.mark.skipif(
    _LIBRARY is None, reason="conformance skipped: libetalon_ops_c.so is not built (./dev build)"
)
def test_the_library_of_operators_is_built():
    assert _NAMES


@pytest.mark.parametrize("name", _NAMES)
def test_operator_agrees_with_pytorch(name, rows, request):
    row = rows[name]
    if name in _GAPS:
        request.node.add_marker(pytest.mark.xfail(reason=_GAPS[name], strict=True))
    if not row["total"]:
        pytest.skip(f"conformance: no sample reaches {name}")
    assert row["passed"] == row["total"], f"{row['passed']} of {row['total']}: {row['reasons']}"


def test_known_gaps_name_registered_operators():
    if not _NAMES:
        pytest.skip("conformance skipped: libetalon_ops_c.so is not built (./dev build)")
    assert set(_GAPS) <= set(_NAMES)
