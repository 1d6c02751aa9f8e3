"""What ran, and what an on / off experiment really exchanged: inspect --isa, run --kernels, profile."""

import csv
import json

import pytest
from checked_run import PROGRAM, assert_refused, etalon


def run(*args):
    done = etalon(*args, seconds=60)
    assert done.code == 0, done.err
    return done.out


def isas():
    """The instruction sets that change a kernel of the program here, best first: those of the CPU and scalar."""
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        text = info.read()
    known = [("avx512", "avx512f"), ("avx2", "avx2"), ("neon", "asimd")]
    return [name for name, flag in known if f" {flag} " in text.replace("\n", " ")] + ["scalar"]


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    if not PROGRAM.exists():
        pytest.skip(f"{PROGRAM} is not built")
    path = tmp_path_factory.mktemp("kernels") / "toy.pte"
    run("export", "zoo:toy_cnn", "--backend", "xnnpack", "-o", path, "--no-etrecord")
    return path


def kernels_of(program, *options):
    return json.loads(run("inspect", program, "--kernels", "--json", *options))["kernels"]


def profile(folder, program, *experiments):
    config = folder / "config.json"
    config.write_text(json.dumps({
        "model": str(program), "output_root": str(folder / "out"),
        "experiments": [{"runs": 5, "warmup": 1, **e} for e in experiments]}))
    return run("profile", config), json.loads((folder / "out/analysis_summary.json").read_text())


def test_every_operator_names_its_kernel_and_instruction_set(program):
    kernels = kernels_of(program)
    assert kernels
    for kernel in kernels:
        assert kernel["kernel"] and kernel["isa"] and kernel["isa_wanted"] and kernel["threads"] >= 1
        assert kernel["isa"] == kernel["isa_wanted"] or kernel["reason"]


def test_an_instruction_set_is_a_limit(program):
    assert {kernel["isa"] for kernel in kernels_of(program, "--isa", "scalar")} <= {"scalar", "portable"}


def test_an_unknown_instruction_set_is_an_error_that_lists_the_known_ones(program):
    assert_refused(etalon("inspect", program, "--isa", "mmx"), mentions=("mmx", "scalar"))


def test_run_tells_the_kernels_too(program):
    text = run("run", program, "--kernels")
    assert "Instruction sets" in text and "ukernel" in text


def test_two_experiments_that_differ_in_isa_name_the_changed_kernels(program, tmp_path):
    if len(isas()) < 2:
        pytest.skip("this machine has one instruction set of ours only")
    best = isas()[0]
    text, summary = profile(tmp_path, program, {"name": "off", "isa": "scalar"}, {"name": "on", "isa": best})
    (comparison,) = summary["comparisons"]
    assert comparison["kernels"]["changed"] > 0
    change = comparison["kernels"]["changes"][0]
    assert change["baseline_isa"] == "scalar" and change["candidate_isa"] != "scalar" and change["operators"]
    assert change["candidate_kernel"] in text
    assert not [f for f in summary["findings"] if f["rule"] == "unchanged-kernels"]
    with open(tmp_path / "out/on/toy_on_t1_kernels.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["operation"] for row in rows} and all(row["isa"] for row in rows)
    assert all(row["kernel_hint"] and row["isa"] for row in summary["operator_details"])


def test_an_on_off_pair_in_which_nothing_changed_is_flagged(program, tmp_path):
    best = isas()[0]
    _, summary = profile(tmp_path, program, {"name": "a", "isa": best}, {"name": "b", "isa": best},
                         {"name": "auto"})
    flagged = [f["subject"] for f in summary["findings"] if f["rule"] == "unchanged-kernels"]
    # a and b ask for the same; auto asks for something else, and gets the same if this CPU has nothing better for it.
    assert all("a, 1 thread and b, 1 thread" != subject for subject in flagged)
    same = [c for c in summary["comparisons"] if c["kernels"]["changed"] == 0]
    assert len(flagged) == len(same) - 1


def test_kernel_runs_write_the_same_evidence(program, tmp_path):
    profile(tmp_path, program, {"name": "k", "mode": "kernels"})
    with open(tmp_path / "out/k/toy_k_t1_kernels.csv", newline="", encoding="utf-8") as file:
        assert all(row["reason"] or row["isa"] == row["isa_wanted"] for row in csv.DictReader(file))
