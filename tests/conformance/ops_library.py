"""Our operators, called one at a time through libetalon_ops_c.so (ops_c_abi.cc describes the interface)."""

import ctypes
import json
import math
import os
from pathlib import Path

import torch

# c10's ScalarType numbers of the dtypes we compute with.
DTYPES = {
    torch.uint8: 0,
    torch.int8: 1,
    torch.int16: 2,
    torch.int32: 3,
    torch.int64: 4,
    torch.float16: 5,
    torch.float32: 6,
    torch.float64: 7,
    torch.bool: 11,
    torch.bfloat16: 15,
    torch.uint16: 27,
    torch.uint32: 28,
    torch.uint64: 29,
}
_FROM_NUMBER = {number: dtype for dtype, number in DTYPES.items()}
_MEMORY_FORMATS = {
    torch.contiguous_format: 0,
    torch.preserve_format: 1,
    torch.channels_last: 2,
    torch.channels_last_3d: 3,
}
_MAX_RANK = 16


class Unsupported(Exception):
    """A call that cannot be put as a request: complex, sparse, quantised or too many dimensions."""


class Refused(Exception):
    """Our operator answered with an error."""


def find():
    """Path of the library: $ETALON_OPS_C or build/release/lib of this repository; None when it is not built."""
    built = Path(__file__).resolve().parents[2] / "build" / "release" / "lib" / "libetalon_ops_c.so"
    path = Path(os.environ.get("ETALON_OPS_C") or built)
    return path if path.exists() else None


def _dim_order(tensor):
    """The permutation, outermost first, when the elements lie densely in some order; else None."""
    order = sorted(range(tensor.dim()), key=lambda d: -tensor.stride(d))
    expected = 1
    for d in reversed(order):
        if tensor.size(d) != 1 and tensor.stride(d) != expected:
            return None
        expected *= tensor.size(d)
    return order


class _Request:
    def __init__(self):
        self.inputs = []

    def tensor(self, tensor):
        if tensor is None:
            return None
        dense = tensor.layout == torch.strided and tensor.dtype in DTYPES and tensor.dim() <= _MAX_RANK
        if not dense or tensor.is_conj() or tensor.is_neg():
            raise Unsupported(f"{tensor.dtype}, {tensor.layout}")
        tensor = tensor.detach()
        order = _dim_order(tensor) if tensor.numel() else None
        if order is None:
            tensor, order = tensor.contiguous(), list(range(tensor.dim()))
        self.inputs.append(tensor)
        return {
            "input": len(self.inputs) - 1,
            "dtype": DTYPES[tensor.dtype],
            "sizes": list(tensor.shape),
            "order": order,
        }

    @staticmethod
    def _double(value):
        return (
            value if math.isfinite(value) else "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
        )

    def _list(self, kind, items):
        if "Tensor" in kind:
            return {"tensors": [self.tensor(t) for t in items]}
        if "float" in kind:
            return {"doubles": [self._double(float(v)) for v in items]}
        return {"bools": list(items)} if "bool" in kind else {"ints": [int(v) for v in items]}

    def value(self, kind, value, floating=torch.float32):
        """`kind` is the type's text in torch's schema, such as `List[int]`; `floating` is what a Python number becomes
        where a tensor is wanted, as the exporter makes a constant of it."""
        if kind == "Tensor" and isinstance(value, (bool, int, float)):
            value = torch.tensor(value, dtype=floating if isinstance(value, float) else None)
        if value is None or isinstance(value, (torch.device, torch.layout)):
            return None
        if isinstance(value, torch.Tensor):
            return {"tensor": self.tensor(value)}
        if isinstance(value, (list, tuple)):
            return self._list(kind, value)
        if isinstance(value, torch.dtype):
            if value not in DTYPES:
                raise Unsupported(str(value))
            return {"int": DTYPES[value]}
        if isinstance(value, torch.memory_format):
            return {"int": _MEMORY_FORMATS[value]}
        if isinstance(value, bool):
            return {"bool": value}
        if isinstance(value, str):
            return {"string": value}
        if isinstance(value, float) or ("float" in kind and isinstance(value, int)):
            return {"double": self._double(float(value))}
        if isinstance(value, int):
            if not -(2**63) <= value < 2**63:
                raise Unsupported("an integer beyond 64 bits")
            return {"int": value}
        raise Unsupported(type(value).__name__)


class OpsLibrary:
    def __init__(self, path):
        self._lib = ctypes.CDLL(str(path))
        self._lib.etalon_ops_list.restype = ctypes.c_char_p
        self._lib.etalon_ops_call.restype = ctypes.c_void_p
        self._lib.etalon_ops_call.argtypes = [ctypes.c_char_p, ctypes.c_void_p]
        self._lib.etalon_ops_json.restype = ctypes.c_char_p
        self._lib.etalon_ops_json.argtypes = [ctypes.c_void_p]
        self._lib.etalon_ops_data.restype = ctypes.c_void_p
        self._lib.etalon_ops_data.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
        self._lib.etalon_ops_free.argtypes = [ctypes.c_void_p]
        self.ops = json.loads(self._lib.etalon_ops_list())
        self.by_name = {}
        for op in self.ops:
            for name in [op["name"], *op["aliases"].split()]:
                self.by_name[name] = op

    def call(self, op, kinds, values):
        """Runs operator `op` (an item of `ops`); returns the outputs as tensors and numbers."""
        request = _Request()
        wide = any(isinstance(v, torch.Tensor) and v.dtype == torch.float64 for v in values)
        floating = torch.float64 if wide else torch.float32
        args = [request.value(kind, value, floating) for kind, value in zip(kinds, values)]
        text = json.dumps({"op": op["name"], "args": args}).encode()
        pointers = (ctypes.c_void_p * max(1, len(request.inputs)))(*[t.data_ptr() for t in request.inputs])
        result = self._lib.etalon_ops_call(text, pointers)
        try:
            answer = json.loads(self._lib.etalon_ops_json(result))
            if "error" in answer:
                raise Refused(f"{answer['where']}: {answer['error']}")
            return [self._output(result, out) for out in answer["outs"]]
        finally:
            self._lib.etalon_ops_free(result)

    def _output(self, result, out):
        if out is None or "tensor" not in out:
            return None if out is None else next(iter(out.values()))
        dtype, sizes = _FROM_NUMBER[out["dtype"]], out["sizes"]
        laid_out = [sizes[d] for d in out["order"]]
        flat = torch.empty(math.prod(sizes), dtype=dtype)
        if flat.numel():
            source = self._lib.etalon_ops_data(result, out["tensor"])
            ctypes.memmove(flat.data_ptr(), source, flat.numel() * flat.element_size())
        inverse = sorted(range(len(sizes)), key=lambda i: out["order"][i])
        return flat.view(laid_out).permute(inverse) if sizes else flat.view(())
