"""Weights drawn from a parameter's name: the rule of zoo/README.md, exactly as the C++ side has it.

Every value is a function of (name, index, sizes) only, computed with operations that IEEE fp32 defines exactly, so
that two languages agree bit for bit. Anything that could be contracted into a fused multiply-add uses a power of two
as its factor, which makes the product exact and the contraction harmless.
"""

import math

import numpy

_FNV_OFFSET = 0xCBF29CE484222325
_FNV_PRIME = 0x100000001B3
_MASK = (1 << 64) - 1
_GAMMA = 0x9E3779B97F4A7C15
_EMBEDDING_BOUND = 0.035
_SHIFT_BOUND = 0.02
_VARIANCE_SPREAD = 0.25
_SCALE_SPREAD = 0.125


def seed_of(name):
    """FNV-1a, 64 bits, of the name's UTF-8 bytes."""
    value = _FNV_OFFSET
    for byte in name.encode("utf-8"):
        value = ((value ^ byte) * _FNV_PRIME) & _MASK
    return value


def random_words(name, count):
    """The first `count` outputs of splitmix64 seeded with the name, as uint64."""
    steps = numpy.arange(1, count + 1, dtype=numpy.uint64)
    with numpy.errstate(over="ignore"):
        z = numpy.uint64(seed_of(name)) + steps * numpy.uint64(_GAMMA)
        z = (z ^ (z >> numpy.uint64(30))) * numpy.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> numpy.uint64(27))) * numpy.uint64(0x94D049BB133111EB)
    return z ^ (z >> numpy.uint64(31))


def uniform(name, count):
    """`count` fp32 values in [-1, 1): the top 24 bits of each word, exact in fp32."""
    top = (random_words(name, count) >> numpy.uint64(40)).astype(numpy.float32)
    return top * numpy.float32(2.0**-23) - numpy.float32(1.0)


def role_of(name, rank):
    """One of variance, mean, embedding, matrix, kernel, scale, bias."""
    parts = name.split(".")
    last = parts[-1]
    if last == "running_var":
        return "variance"
    if last == "running_mean":
        return "mean"
    if rank >= 2:
        owner = parts[-2] if len(parts) > 1 else ""
        of_embedding = last == "weight" and rank == 2 and "embed" in owner
        named_embedding = "embed" in last or "token" in last
        if of_embedding or named_embedding:
            return "embedding"
        return "matrix" if rank == 2 else "kernel"
    return "scale" if rank == 1 and last == "weight" else "bias"


def draw(name, sizes):
    """The fp32 array of a parameter or buffer called `name`."""
    count = math.prod(sizes)
    u = uniform(name, count)
    role = role_of(name, len(sizes))
    one = numpy.float32(1.0)
    if role == "variance":
        values = one + numpy.float32(_VARIANCE_SPREAD) * u
    elif role == "scale":
        values = one + numpy.float32(_SCALE_SPREAD) * u
    else:
        fan_in = max(1, math.prod(sizes[1:]))
        bound = {
            "mean": _SHIFT_BOUND,
            "bias": _SHIFT_BOUND,
            "embedding": _EMBEDDING_BOUND,
            "matrix": math.sqrt(1.0 / fan_in),
            "kernel": math.sqrt(6.0 / fan_in),
        }[role]
        values = numpy.float32(bound) * u
    return values.reshape(sizes)


def draw_input(position, sizes, dtype, modulus=None):
    """The deterministic example input number `position`: floats in [-1, 1), integers in [0, modulus), or bools."""
    name, count = f"input_{position}", math.prod(sizes)
    dtype = numpy.dtype(dtype)
    if dtype == numpy.bool_:
        values = (random_words(name, count) >> numpy.uint64(63)).astype(numpy.bool_)
    elif dtype.kind in "iu":
        values = ((random_words(name, count) >> numpy.uint64(40)) % numpy.uint64(modulus or 2)).astype(dtype)
    else:
        values = uniform(name, count).astype(dtype)
    return values.reshape(sizes)


def is_drawn(name, dtype_is_float, is_parameter):
    """Whether a weightless archive leaves this tensor out; every other tensor keeps its data."""
    return dtype_is_float and (is_parameter or name.split(".")[-1] in ("running_mean", "running_var"))


def _names_by_storage(model):
    """Groups the names of identical tensors (tied weights); the first by code point gives the group its values."""
    groups = {}
    for name, tensor in model.state_dict(keep_vars=True).items():
        groups.setdefault((tensor.data_ptr(), tuple(tensor.shape), tensor.stride()), []).append(name)
    return [sorted(names) for names in groups.values()]


def fill(model):
    """Overwrites the model's float parameters and batch-norm statistics with drawn values; returns the model."""
    import torch

    parameters = dict(model.named_parameters(remove_duplicate=False))
    state = model.state_dict(keep_vars=True)
    with torch.no_grad():
        for names in _names_by_storage(model):
            tensor = state[names[0]]
            if is_drawn(names[0], tensor.dtype.is_floating_point, names[0] in parameters):
                tensor.copy_(torch.from_numpy(draw(names[0], tuple(tensor.shape))))
    return model
