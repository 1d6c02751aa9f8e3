"""Where operator calls come from: PyTorch's own samples, taken apart by the dispatcher.

PyTorch's sample inputs name functions such as `nn.functional.conv2d`; what reaches a kernel are overloads such as
`aten.convolution.default`. A dispatch mode sees these. Overloads that we do not have are decomposed by PyTorch's own
table, so that what they consist of is seen too.
"""

import itertools

import torch
from torch.utils._python_dispatch import TorchDispatchMode

DTYPES = (torch.float32, torch.int64, torch.bool, torch.float64, torch.float16, torch.bfloat16)
# OpInfo entries that take minutes or need what the CPU build lacks.
_SKIPPED = (
    "linalg.",
    "ops.nvprims",
    "fft.",
    "special.polygamma",
    "_refs.",
    "sparse.",
    "signal.windows",
    "nn.functional.scaled_dot_product_attention",
    "masked.",
    "torch.ops.aten._safe_softmax",
)


class CapturedCall:
    """One call: the operator's name, its arguments by schema position as they were with their types, the result."""

    def __init__(self, name, kinds, values, result):
        self.name, self.kinds, self.values, self.result = name, kinds, values, result


def captured(overload, values, result):
    """A call of one of torch's overloads."""
    return CapturedCall(str(overload), [str(a.type) for a in overload._schema.arguments], values, result)


def functional_name(overload):
    """`aten::add.Tensor` for add.Tensor, also for the in-place form."""
    name = overload._schema.name
    if name.endswith("_") and not name.endswith("__"):
        name = name[:-1]
    return f"{name}.{overload._schema.overload_name}" if overload._schema.overload_name else name


def is_in_place(overload):
    return overload._schema.name.endswith("_") and not overload._schema.name.endswith("__")


def values_of(overload, args, kwargs):
    """The arguments by schema position, defaults filled in."""
    values = []
    for i, argument in enumerate(overload._schema.arguments):
        if i < len(args):
            values.append(args[i])
        else:
            values.append(kwargs.get(argument.name, argument.default_value))
    return values


def snapshot(value):
    if isinstance(value, torch.Tensor):
        return value.detach().clone(memory_format=torch.preserve_format)
    if isinstance(value, (list, tuple)):
        return [snapshot(v) for v in value]
    return value


class Capture(TorchDispatchMode):
    """Hands every call of a wanted overload to `sink`; takes unwanted ones apart."""

    def __init__(self, wanted, sink):
        super().__init__()
        self._wanted, self._sink = wanted, sink
        self._decompositions = torch._decomp.core_aten_decompositions()

    def __torch_dispatch__(self, overload, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if not self._wanted(overload):
            return self._take_apart(overload, args, kwargs)
        values = values_of(overload, args, kwargs)
        if is_in_place(overload) or overload._schema.is_mutable:
            values = [snapshot(v) for v in values]
        result = overload(*args, **kwargs)
        self._sink(
            overload, captured(overload, values, snapshot(result) if is_in_place(overload) else result)
        )
        return result

    def _take_apart(self, overload, args, kwargs):
        decomposition = self._decompositions.get(overload)
        if decomposition is not None:
            with self:  # the calls inside are seen as well
                return decomposition(*args, **kwargs)
        return overload(*args, **kwargs)


def _run_sample(info, sample, capture):
    def detached(value):
        return value.detach() if isinstance(value, torch.Tensor) else value

    args = torch.utils._pytree.tree_map(detached, (sample.input, *sample.args))
    kwargs = torch.utils._pytree.tree_map(detached, sample.kwargs)
    with torch.no_grad(), capture:
        info.op(*args, **kwargs)


def run_op_db(capture, limit, only=None):
    """Runs every entry of PyTorch's op_db; returns the entries that could not be run at all."""
    from torch.testing._internal.common_methods_invocations import op_db

    failed = {}
    for info in op_db:
        if (only and only not in info.name) or info.name.startswith(_SKIPPED):
            continue
        for dtype in DTYPES:
            if not info.supports_dtype(dtype, "cpu"):
                continue
            count = limit if dtype == torch.float32 else max(2, limit // 2)
            torch.manual_seed(0)
            try:
                for sample in itertools.islice(info.sample_inputs("cpu", dtype, requires_grad=False), count):
                    _run_sample(info, sample, capture)
            except Exception as error:
                failed[f"{info.name} {dtype}"] = (
                    f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
                )
    return failed
