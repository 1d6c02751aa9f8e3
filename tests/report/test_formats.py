"""Every format of a real run: what `etalon report` writes is whole, agrees with the others, and is what viewers demand.

    ETALON=build/release/bin/etalon pytest tests/report
"""

import csv
import io
import json
import os
import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
ETALON = pathlib.Path(os.environ.get("ETALON", ROOT / "build" / "release" / "bin" / "etalon"))

pytestmark = pytest.mark.skipif(not ETALON.exists(), reason=f"{ETALON} is not built")


def etalon(*arguments, code=0):
    done = subprocess.run([ETALON, *map(str, arguments)], capture_output=True, text=True, timeout=600,
                          env={"ETALON_ZOO": str(ROOT / "zoo"), **os.environ})  # fmt: skip
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run folder of the smallest built-in model."""
    folder = tmp_path_factory.mktemp("run")
    model = folder / "toy_cnn_xnnpack_fp32.pte"
    etalon("export", "zoo:toy_cnn", "--quiet", "-o", model)
    etalon("profile", model, "--runs", 20, "--warmup", 3, "--threads", 1, "--output-root", folder / "out")
    return next((folder / "out").rglob("manifest.json")).parent


def test_the_folder_holds_what_it_should_and_validates(run):
    for name in ("report.md", "report.html", "analysis_summary.json", "operators.csv"):
        assert (run / name).stat().st_size > 0
    assert "consistent" in etalon("validate", run)


def test_a_changed_number_does_not_validate(run, tmp_path):
    summary = run / "analysis_summary.json"
    kept = summary.read_text()
    data = json.loads(kept)
    data["per_etdump"][0]["accounting"]["framework_ms"] += 0.001
    summary.write_text(json.dumps(data))
    try:
        said = etalon("validate", run, code=1)
    finally:
        summary.write_text(kept)
    assert "do not add up" in said and "computed again" in said and "report.html: shows another analysis" in said


def test_formats_agree_on_operators(run):
    rows = list(csv.DictReader(io.StringIO(etalon("report", run, "--format", "csv"))))
    data = json.loads(etalon("report", run, "--format", "json"))
    assert [row["name"] for row in rows] == [row["name"] for row in data["operator_details"]]
    bundle = json.loads(etalon("report", run, "--format", "bundle"))
    assert bundle["report"]["operator_details"] == data["operator_details"]
    assert sum(len(launch["runs_ms"]) for s in bundle["samples"] for launch in s.get("launches", [])) >= 20


def nested(slices):
    """Whether slices (start, end), in the order of the file, lie inside or beside each other."""
    open_ends = []
    for start, end in slices:
        while open_ends and start >= open_ends[-1]:
            open_ends.pop()
        if open_ends and end > open_ends[-1]:
            return False
        open_ends.append(end)
    return True


def test_slices_of_the_trace_nest(run):
    events = json.loads(etalon("report", run, "--format", "perfetto"))["traceEvents"]
    tracks = {}
    for event in events:
        if event["ph"] == "X":
            start = round(event["ts"] * 1000)
            tracks.setdefault((event["pid"], event["tid"]), []).append((start, start + round(event["dur"] * 1000)))
    assert tracks and all(nested(slices) for slices in tracks.values())
    assert {event["name"] for event in events} >= {"Method::execute", "process_name", "thread_name"}


def test_brackets_of_the_speedscope_file_match(run):
    data = json.loads(etalon("report", run, "--format", "speedscope"))
    assert data["$schema"] == "https://www.speedscope.app/file-format-schema.json"
    for profile in data["profiles"]:
        stack, now = [], profile["startValue"]
        for event in profile["events"]:
            assert event["at"] >= now
            now = event["at"]
            if event["type"] == "O":
                stack.append(event["frame"])
            else:
                assert stack.pop() == event["frame"]
        assert not stack and now <= profile["endValue"]


def test_the_examples_table_has_a_cell_for_each_variant(run):
    lines = etalon("report", run, "--table", "xnnpack-examples").splitlines()
    assert lines[0] == "| model | iteration | portable | xnnpack fp32 | xnnpack q8 |"
    assert re.fullmatch(r"\| toy_cnn \| first iteration \| - \| [\d.]+ [mu]s \| - \|", lines[2])
    assert re.fullmatch(r"\| \| average of 20 after 3 \| - \| [\d.]+ [mu]s \| - \|", lines[3])


def test_wrong_use_is_one_line(run):
    for arguments in (("report", run, run), ("report", run, "--table", "xnnpack-examples", "--format", "csv"), ("report", run, "--format", "pdf")):
        done = subprocess.run([ETALON, *map(str, arguments)], capture_output=True, text=True, timeout=60)
        assert done.returncode == 2
        assert len(done.stderr.strip().splitlines()) == 1, done.stderr
