"""Mutated buffers: state goes on from call to call in both runtimes, for both exporters' programs."""

import pytest

pytest.importorskip("torch", reason="interop tests skipped: torch is not installed")

import corpus
import etalon_program
from compare import assert_close

_NAME = "buffer_mutation"


def _eager_after(case, calls):
    """The outputs of the last of `calls` calls with the first inputs."""
    import torch

    module = torch.export.load(case.pt2).module()
    inputs = [torch.from_numpy(a) for a in case.inputs(0)]
    with torch.no_grad():
        for _ in range(calls):
            outputs = module(*inputs)
    return [o.clone().numpy() for o in outputs]


def _programs(exported):
    case, ours = exported(_NAME)
    return case, {"ours": ours, "real": corpus.real_program(case)}


@pytest.mark.parametrize("maker", ["ours", "real"])
def test_state_goes_on_in_the_real_executorch(maker, exported):
    from real_runtime import RealProgram

    case, programs = _programs(exported)
    program = RealProgram(programs[maker])
    for run in range(len(case.runs)):
        assert_close(program.call(case.inputs(run)), case.outputs(run), case.dtype, f"call {run}")


@pytest.mark.parametrize("maker", ["ours", "real"])
@pytest.mark.parametrize("calls", [1, 4])
def test_state_goes_on_in_our_runtime(maker, calls, exported, tmp_path):
    case, programs = _programs(exported)
    outputs = etalon_program.call(
        programs[maker], case.input_paths(0), tmp_path, "--warmup", 0, "--runs", calls
    )
    assert_close(outputs, _eager_after(case, calls), case.dtype, f"after {calls} calls")
