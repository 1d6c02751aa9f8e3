"""Models quantised by PyTorch: our programs of them against PyTorch, the real ExecuTorch's programs and both engines.

What may differ, and why:
* XNNPACK computes in integers what PyTorch's converted graph computes in floats and rounds: now and then a number lies
  halfway between two, and one side rounds it up. A whole net adds such steps up.
* Layer norms and softmax between int8 layers are floats. A last bit there decides a number that lies halfway, and later layers
  make much of it: what the real runtime does to its own outputs when its input changes by 1e-6 is the measure.
* Dynamic scales are one per tensor in PyTorch's graph, one per row in XNNPACK: never less exact, but other numbers.
"""

import pytest

pytest.importorskip("torch", reason="interop tests skipped: torch is not installed")
pytest.importorskip("torchao", reason="interop tests skipped: torchao is not installed")

import cached_quantised
import etalon_program
import numpy
import quantised_models

_NAMES = quantised_models.names()
_IDS = [f"{name}-{scheme}" for name, scheme in _NAMES]
_NETS = ("mobilenet_v2", "mobilenet_v3_small", "resnet18", "vit_tiny")
_WITH_FLOATS_INSIDE = ("vit_tiny",)
# Of one output's scale. ResNet-18 adds up eight residuals; the real program of it is as far from PyTorch as ours.
_QUANTA, _QUANTA_OF_NETS = 1, 5
# Outputs that are not quantised themselves, relative to the largest.
_RELATIVE = {"static": 1e-2, "static_per_tensor": 1e-2, "dynamic": 4e-2, "dynamic_per_tensor": 4e-2}


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """Our program of a case for a backend, made once: (case, path)."""
    folder, done = tmp_path_factory.mktemp("quantised"), {}

    def get(name, scheme, backend="xnnpack"):
        key = (name, scheme, backend)
        if key not in done:
            case, target = cached_quantised.case_of(name, scheme), folder / ("-".join(key) + ".pte")
            etalon_program.run("export", case.pt2, "--backend", backend, "--verify", "-o", target)
            done[key] = (case, target)
        return done[key]

    return get


def _run_real(pte, arrays):
    import executorch.kernels.quantized  # noqa: F401 the kernels of what is not delegated
    from real_runtime import RealProgram

    return RealProgram(pte).call(arrays)


def _assert_close(actual, expected, quanta, steps, relative, what):
    assert len(actual) == len(expected), f"{what}: {len(actual)} outputs, expected {len(expected)}"
    for i, (a, e, quantum) in enumerate(zip(actual, expected, quanta)):
        assert a.shape == e.shape and a.dtype == e.dtype, f"{what}: output {i} is {a.dtype}{a.shape}"
        assert numpy.isfinite(a).all(), f"{what}: output {i} is not finite"
        worst = float(numpy.abs(a.astype(numpy.float64) - e).max(initial=0))
        allowed = quantum * steps * 1.001 if quantum > 0 else relative * float(numpy.abs(e).max(initial=0))
        assert worst <= allowed, f"{what}: output {i} is off by {worst:.3g}, allowed {allowed:.3g}"


def _steps(name):
    return _QUANTA_OF_NETS if name in _NETS else _QUANTA


def _same_file(scheme):
    """Of outputs that are not quantised: a sum in another order may move a dynamically quantised number by a step."""
    return 5e-3 if scheme.startswith("dynamic") else 1e-5


def _instructions(pte):
    kernels, delegates = {}, 0
    for method in etalon_program.run_json("inspect", pte, "--json")["methods"]:
        for op, count in method["operators"].items():
            if op.startswith("delegate "):
                delegates += count
            else:
                kernels[op] = kernels.get(op, 0) + count
    return kernels, delegates


@pytest.mark.parametrize(("name", "scheme"), _NAMES, ids=_IDS)
def test_our_delegates_give_pytorchs_results_in_the_real_executorch(name, scheme, exported):
    case, pte = exported(name, scheme)
    actual = _run_real(pte, case.inputs())
    _assert_close(actual, case.outputs("eager"), case.info["quanta"], _steps(name), _RELATIVE[scheme], "beside PyTorch")


@pytest.mark.parametrize(("name", "scheme"), _NAMES, ids=_IDS)
def test_our_delegates_give_what_those_of_executorch_give(name, scheme, exported):
    case, pte = exported(name, scheme)
    # Other nodes, the same integers. But weights with one scale and dynamic inputs stay outside of ExecuTorch's delegates,
    # so there its numbers are PyTorch's.
    relative = _RELATIVE[scheme] if scheme == "dynamic_per_tensor" else 1e-6
    actual = _run_real(pte, case.inputs())
    _assert_close(actual, case.outputs("real"), case.info["quanta"], 0, relative, "beside ExecuTorch")


@pytest.mark.parametrize(("name", "scheme"), _NAMES, ids=_IDS)
def test_our_engine_gives_what_the_real_runtime_gives(name, scheme, exported, tmp_path):
    case, pte = exported(name, scheme)
    ours = etalon_program.call(pte, case.input_paths(), tmp_path / "ours", engine="native")
    real = _run_real(pte, case.inputs())
    steps = 1
    if name in _WITH_FLOATS_INSIDE and not scheme.startswith("dynamic"):
        from real_runtime import moves

        (far,), (quantum,) = moves(pte, case.inputs()), case.info["quanta"]
        steps = max(steps, 2 * far / quantum)  # two runtimes may each be off by that
    _assert_close(ours, real, case.info["quanta"], steps, _same_file(scheme), "our program")


@pytest.mark.parametrize(("name", "scheme"), _NAMES, ids=_IDS)
def test_our_engine_runs_what_executorch_made(name, scheme, tmp_path):
    case = cached_quantised.case_of(name, scheme)
    ours = etalon_program.call(case.real_program, case.input_paths(), tmp_path / "theirs", engine="native")
    _assert_close(ours, case.outputs("real"), case.info["quanta"], _steps(name), _same_file(scheme), "ExecuTorch's program")


@pytest.mark.parametrize(("name", "scheme"), _NAMES, ids=_IDS)
def test_no_more_operators_are_outside_than_with_executorchs_own_partitioner(name, scheme, exported, capsys):
    case, pte = exported(name, scheme)
    ours, our_delegates = _instructions(pte)
    theirs, their_delegates = _instructions(case.real_program)
    with capsys.disabled():
        print(
            f"\n{name}-{scheme}: outside {sum(ours.values())} (ExecuTorch {sum(theirs.values())}), "
            f"delegates {our_delegates} (ExecuTorch {their_delegates})",
            end="",
        )
    assert sum(ours.values()) <= sum(theirs.values()), f"ours {ours}, theirs {theirs}"
    assert our_delegates <= their_delegates


@pytest.mark.parametrize("scheme", quantised_models.SCHEMES)
def test_convolutional_nets_are_one_delegate_and_nothing_else(scheme, exported):
    for name in ("mobilenet_v2", "mobilenet_v3_small"):
        assert _instructions(exported(name, scheme)[1]) == ({}, 1), name


@pytest.mark.parametrize(
    ("name", "scheme"), [case for case in _NAMES if case[0] in ("mlp", "block", "pieces")], ids=lambda v: str(v)
)
def test_portable_programs_give_pytorchs_results(name, scheme, exported, tmp_path):
    case, pte = exported(name, scheme, "portable")
    ours = etalon_program.call(pte, case.input_paths(), tmp_path / "ours")
    for what, outputs in (("our kernels", ours), ("the real kernels", _run_real(pte, case.inputs()))):
        # A sum in another order may end on the other side of a border between two numbers, and dynamic scales follow.
        _assert_close(outputs, case.outputs("eager"), case.info["quanta"], 1, 1e-2, what)


def test_quantised_weights_stay_integers_in_programs(exported):
    case, pte = exported("mobilenet_v2", "static")
    assert pte.stat().st_size < 0.35 * 4 * 3_500_000, "MobileNetV2 in int8 is larger than a third of its floats"
    case, pte = exported("mobilenet_v2", "static", "portable")
    assert pte.stat().st_size < 0.35 * 4 * 3_500_000
