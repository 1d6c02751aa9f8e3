"""Imports torchvision although its C++ operators cannot be loaded.

torchvision's default wheel is built against CUDA; with the CPU build of torch its extension does not load and the
import fails with "operator torchvision::nms does not exist". The classification models need none of these
operators: it is enough that their names exist, so they are defined with a schema that fits any call.
"""

import importlib.util
import re
import sys
from pathlib import Path

_library = None  # keeps the definitions alive: they vanish with the Library object


def _operator_names():
    spec = importlib.util.find_spec("torchvision")
    source = Path(spec.submodule_search_locations[0]) / "_meta_registrations.py"
    text = source.read_text(encoding="utf-8")
    names = re.findall(r'register_meta\("(\w+)"', text) + re.findall(r'"torchvision::(\w+)"', text)
    return sorted(set(names))


def _define_missing_operators():
    global _library
    import torch

    _library = torch.library.Library("torchvision", "FRAGMENT")
    for name in _operator_names():
        if not hasattr(torch.ops.torchvision, name):
            _library.define(f"{name}(Tensor[] inputs) -> Tensor[]")


def import_torchvision():
    """Imports torchvision, defining the operators it misses; raises ImportError when it is not installed."""
    try:
        import torchvision
    except RuntimeError as error:
        if "torchvision::" not in str(error):
            raise
        for name in [n for n in sys.modules if n.split(".")[0] == "torchvision"]:
            del sys.modules[name]
        _define_missing_operators()
        import torchvision
    return torchvision
