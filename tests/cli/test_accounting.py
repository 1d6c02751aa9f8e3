"""Operators, framework and residual add up to the run without tracing, and hardly anything is left unexplained."""

import json
import math

import pytest
from checked_run import PROGRAM, etalon

# Largest part of a run that may lie in no instruction. Measured: below 1 % on models of a millisecond and more.
RESIDUAL = 0.05
# Reading the clock around a run takes a part of a microsecond, which is much of a model that takes four.
CLOCK_MS = 0.0005
# Twenty runs of microseconds are over before the clock's own jitter averages out.
RUNS = {"toy_cnn": 5000, "digits_mobilenet": 1000}
MODELS = ["toy_cnn", "digits_mobilenet", "mobilenet_v3_small", "mobilenet_v2", "efficientnet_b0", "resnet18", "vit_tiny"]


@pytest.fixture(scope="module")
def summary_of(tmp_path_factory):
    if not PROGRAM.exists():
        pytest.skip(f"{PROGRAM} is not built")
    folder, known = tmp_path_factory.mktemp("accounting"), {}

    def get(model):
        if model not in known:
            program = folder / f"{model}.pte"
            assert etalon("export", f"zoo:{model}", "-o", program, "--quiet", seconds=60).code == 0
            end = etalon("profile", program, "--runs", RUNS.get(model, 20), "--warmup", 3, "-o", folder / model, "--quiet", "--json", seconds=300)
            assert end.code == 0, end.err
            known[model] = json.loads(end.out)
        return known[model]

    return get


def _account(summary):
    (profile,) = summary["per_etdump"]
    return profile["accounting"]


@pytest.mark.parametrize("model", MODELS)
def test_the_parts_add_up_to_the_untraced_run(model, summary_of):
    account = _account(summary_of(model))
    parts = account["operators_ms"] + account["framework_ms"] + account["residual_ms"]
    assert math.isclose(parts, account["end_to_end_ms"], rel_tol=1e-9)
    assert math.isclose(parts, account["untraced_end_to_end_ms"], rel_tol=0.02)


@pytest.mark.parametrize("model", MODELS)
def test_hardly_anything_is_left_unexplained(model, summary_of):
    account = _account(summary_of(model))
    assert abs(account["residual_ms"]) < max(RESIDUAL * account["end_to_end_ms"], CLOCK_MS), account
    assert account["operators_ms"] > 0.5 * account["end_to_end_ms"]


@pytest.mark.parametrize("model", MODELS)
def test_every_operator_maps_to_the_program_or_tells_why_not(model, summary_of):
    rows = summary_of(model)["operator_details"]
    assert rows
    for row in rows:
        assert ("bytes" in row and "shape" in row) or row.get("unmapped"), row["name"]
    mapped = sum("unmapped" not in row for row in rows)
    assert mapped >= 0.95 * len(rows)
