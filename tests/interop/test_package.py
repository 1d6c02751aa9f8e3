"""The Python package: models of a user's own folder, the command line, weightless archives, the drawing rule."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="interop tests skipped: torch is not installed")

_ROOT = Path(__file__).resolve().parents[2]
_ZOO = _ROOT / "zoo"

_USER_MODEL = """
import torch
from etalon import EagerModelBase, register_model

@register_model("users_own")
class UsersOwn(EagerModelBase):
    def get_eager_model(self):
        return torch.nn.Sequential(torch.nn.Linear(8, 16), torch.nn.ReLU(), torch.nn.Linear(16, 4))

    def get_example_inputs(self):
        return (torch.rand(1, 8),)
"""


def _export(*arguments, wanted=0):
    done = subprocess.run(
        [sys.executable, "-m", "etalon.export", *map(str, arguments)],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(_ROOT / "python"), "PATH": "/usr/bin:/bin", "ETALON": _etalon()},
    )
    assert done.returncode == wanted, done.stderr
    return done


def _etalon():
    import etalon_program

    return str(etalon_program.find() or "")


@pytest.fixture
def models_dir(tmp_path):
    folder = tmp_path / "models" / "users_own"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text(_USER_MODEL)
    return folder.parent


@pytest.mark.package_only
def test_a_users_model_is_saved_without_touching_the_package(models_dir, tmp_path):
    import torch

    _export(
        "--models-dir",
        models_dir,
        "--model",
        "users_own",
        "--pt2-only",
        "--outdir",
        tmp_path,
        "--dynamic-batch",
        8,
    )
    program = torch.export.load(tmp_path / "users_own.pt2")
    assert program.module()(torch.rand(5, 8)).shape == (5, 4)


def test_a_users_model_is_exported_by_the_program(models_dir, tmp_path):
    _export("--models-dir", models_dir, "--model", "users_own", "--outdir", tmp_path)
    assert (tmp_path / "users_own_xnnpack_fp32.pte").exists()
    assert (tmp_path / "users_own_xnnpack_fp32.pte.etrecord").exists()


@pytest.mark.package_only
@pytest.mark.parametrize(
    "arguments, words",
    [
        (("--model", "no_such_model"), "unknown model no_such_model"),
        (("--model", "toy_cnn", "--models-dir", "/no/such/folder"), "does not exist"),
    ],
)
def test_errors_are_one_line(arguments, words):
    done = _export(*arguments, "--pt2-only", wanted=2)
    assert words in done.stderr and done.stderr.count("\n") == 1


@pytest.mark.package_only
def test_the_same_seed_gives_the_same_weights(tmp_path):
    import torch

    states = []
    for folder in ("a", "b"):
        _export("--model", "mobilenet_v3_small", "--seed", 3, "--pt2-only", "--outdir", tmp_path / folder)
        states.append(torch.export.load(tmp_path / folder / "mobilenet_v3_small.pt2").state_dict)
    assert all(torch.equal(states[0][k], states[1][k]) for k in states[0])


@pytest.mark.package_only
def test_the_drawing_rule_gives_the_stored_bits():
    from etalon import weights

    for row in json.loads((_ZOO / "draw_vectors.json").read_text())["vectors"]:
        sizes = tuple(row["sizes"])
        values = (
            weights.draw_input(0, sizes, "float32")
            if row["role"] == "input"
            else weights.draw(row["name"], sizes)
        )
        assert [f"{b:08x}" for b in values.reshape(-1)[:4].view("uint32")] == row["bits"], row["name"]


@pytest.mark.package_only
@pytest.mark.parametrize(
    "row", json.loads((_ZOO / "zoo.json").read_text())["models"], ids=lambda row: row["name"]
)
def test_zoo_archives_give_the_stored_outputs(row, tmp_path):
    import numpy
    import torch

    from etalon import archive, weights

    filled = tmp_path / row["file"]
    archive.fill(_ZOO / row["file"], filled)
    inputs = [
        torch.from_numpy(weights.draw_input(i, tuple(x["sizes"]), x["dtype"], x.get("modulus")))
        for i, x in enumerate(row["inputs"])
    ]
    with torch.no_grad():
        outputs = torch.export.load(filled).module()(*inputs)
    outputs = [outputs] if isinstance(outputs, torch.Tensor) else outputs
    assert len(outputs) == len(row["outputs"])
    for output, wanted in zip(outputs, row["outputs"]):
        assert list(output.shape) == wanted["sizes"]
        stored = numpy.load(_ZOO / wanted["file"])
        difference = numpy.abs(output.reshape(-1)[: wanted["stored"]].numpy() - stored).max()
        assert difference <= 1e-4 * wanted["max_abs"]


@pytest.mark.parametrize(
    "row", json.loads((_ZOO / "zoo.json").read_text())["models"], ids=lambda row: row["name"]
)
def test_zoo_archives_give_the_stored_outputs_in_our_runtime(row, tmp_path):
    import numpy

    import etalon_program
    from etalon import weights

    pte = etalon_program.export(_ZOO / row["file"], tmp_path / "model.pte")
    paths = []
    for i, x in enumerate(row["inputs"]):
        paths.append(tmp_path / f"in{i}.npy")
        numpy.save(paths[-1], weights.draw_input(i, tuple(x["sizes"]), x["dtype"], x.get("modulus")))
    outputs = etalon_program.call(pte, paths, tmp_path / "out")
    for output, wanted in zip(outputs, row["outputs"]):
        assert list(output.shape) == wanted["sizes"]
        stored = numpy.load(_ZOO / wanted["file"])
        assert numpy.abs(output.reshape(-1)[: wanted["stored"]] - stored).max() <= 1e-4 * wanted["max_abs"]
