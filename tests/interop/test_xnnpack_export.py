"""Our XNNPACK lowering: programs run in the real ExecuTorch as eager does, with no more operators outside than its own.

The real ExecuTorch lowers a model in half a minute; what it makes is kept in the corpus cache. A case whose counterpart is
not there yet is lowered only with ETALON_SLOW=1, else the count is skipped.
"""

import os

import pytest

pytest.importorskip("torch", reason="interop tests skipped: torch is not installed")

import corpus
import etalon_program
import xnnpack_cases
from compare import assert_close
from registry import REGISTRY

_CORPUS = sorted(name for name in REGISTRY if name not in ("remainder", "buffer_mutation"))
_NAMES = sorted(xnnpack_cases.CASES)
_ALL = _CORPUS + _NAMES


def _case(name):
    return corpus.build_entry(xnnpack_cases.entry(name)) if name in xnnpack_cases.CASES else corpus.build(name)


@pytest.fixture(scope="module")
def lowered(tmp_path_factory):
    """Our program of a case with the XNNPACK backend, made once: (case, path)."""
    folder, done = tmp_path_factory.mktemp("xnnpack"), {}

    def get(name):
        if name not in done:
            case, target = _case(name), folder / f"{name}.pte"
            etalon_program.run("export", case.pt2, "--backend", "xnnpack", "--verify", "-o", target)
            done[name] = (case, target)
        return done[name]

    return get


def _instructions(pte):
    """Kernel calls by operator, and the number of delegate calls, of the whole program."""
    kernels, delegates = {}, 0
    for method in etalon_program.run_json("inspect", pte, "--json")["methods"]:
        for name, count in method["operators"].items():
            if name.startswith("delegate "):
                delegates += count
            else:
                kernels[name] = kernels.get(name, 0) + count
    return kernels, delegates


@pytest.mark.parametrize("name", _ALL)
def test_our_delegates_run_in_the_real_executorch(name, lowered):
    from real_runtime import RealProgram

    case, pte = lowered(name)
    program = RealProgram(pte)
    for run in range(len(case.runs)):
        assert_close(program.call(case.inputs(run)), case.outputs(run), case.dtype, f"{name}, run {run}")


@pytest.mark.parametrize("name", _ALL)
def test_our_delegates_run_in_our_engine(name, lowered, tmp_path):
    case, pte = lowered(name)
    for run in range(len(case.runs)):
        outputs = etalon_program.call(pte, case.input_paths(run), tmp_path / str(run), engine="native")
        assert_close(outputs, case.outputs(run), case.dtype, f"{name}, run {run}")


@pytest.mark.parametrize("name", _NAMES)
def test_no_more_operators_are_outside_than_with_executorchs_own_partitioner(name, lowered, capsys):
    case, pte = lowered(name)
    if not (case.folder / "real_xnnpack.pte").exists() and not os.environ.get("ETALON_SLOW"):
        pytest.skip(f"{name}: ExecuTorch's own program is not in the cache; set ETALON_SLOW=1 to make it")
    ours, our_delegates = _instructions(pte)
    theirs, their_delegates = _instructions(corpus.real_program(case, "xnnpack"))
    with capsys.disabled():
        print(
            f"\n{name}: outside {sum(ours.values())} (ExecuTorch {sum(theirs.values())}), "
            f"delegates {our_delegates} (ExecuTorch {their_delegates})",
            end="",
        )
    more = {k: (n, theirs.get(k, 0)) for k, n in ours.items() if n > theirs.get(k, 0)}
    assert sum(ours.values()) <= sum(theirs.values()), f"{name}: more than theirs (ours, theirs): {more}"


def test_a_convolutional_net_is_one_delegate_and_a_vision_transformer_at_most_thirty(lowered):
    for name in ("zoo_mobilenet_v2", "zoo_mobilenet_v3_small", "zoo_resnet18", "zoo_efficientnet_b0"):
        kernels, delegates = _instructions(lowered(name)[1])
        assert (sum(kernels.values()), delegates) == (0, 1), f"{name}: {kernels} outside, {delegates} delegates"
    assert _instructions(lowered("zoo_vit_tiny")[1])[1] <= 30


def test_the_real_inspector_finds_the_model_code_behind_our_delegates(lowered, tmp_path):
    from real_runtime import inspect, record_etdump

    case, pte = lowered("zoo_mobilenet_v3_small")
    etdump = record_etdump(pte, case.inputs(0), tmp_path / "run.etdump")
    events = {e.name: e for e in inspect(etdump, f"{pte}.etrecord")}
    call = events["DELEGATE_CALL"]
    assert call.delegate_backend_name == "XnnpackBackend"
    assert any("convolution" in op for op in call.op_types)
    assert call.stack_traces, "the delegate call names no source line"
