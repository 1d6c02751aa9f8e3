"""Shared fixtures: what is missing skips the tests with a reason; known failures must fail."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest

_HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(_HERE), str(_HERE.parents[1] / "python")]

import etalon_program  # noqa: E402

_KNOWN_FAILING = json.loads((_HERE / "known_failing.json").read_text())
_NEEDED = ("torch", "numpy", "executorch")


def _missing():
    absent = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if absent:
        return f"interop tests skipped: the Python packages {', '.join(absent)} are not installed"
    if etalon_program.find() is None:
        return "interop tests skipped: the program etalon is not built (./dev build) and $ETALON does not name it"
    return None


def pytest_report_header(config):
    return _missing() or f"etalon: {etalon_program.find()}"


def pytest_collection_modifyitems(config, items):
    reason = _missing()
    for item in items:
        if reason and item.get_closest_marker("package_only") is None:
            item.add_marker(pytest.mark.skip(reason=reason))
        known = _KNOWN_FAILING.get(item.name)
        if known:
            item.add_marker(pytest.mark.xfail(reason=known, strict=True))


@pytest.fixture(scope="session")
def exported(tmp_path_factory):
    """Our program of a corpus case, made once per session: (case, path of the .pte)."""
    folder, done = tmp_path_factory.mktemp("exported"), {}

    def get(name):
        if name not in done:
            import corpus

            case = corpus.build(name)
            done[name] = (case, etalon_program.export(case.pt2, folder / f"{name}.pte"))
        return done[name]

    return get
