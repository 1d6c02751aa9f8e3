"""The Python side of Etalon: register an eager PyTorch model, save it, export it.

Everything that can be done without PyTorch is done by the C++ program `etalon`; this package only does what
needs PyTorch itself: building the eager model and calling `torch.export`.
"""

from etalon.model import EagerModelBase, ModelError, register_model

__all__ = ["EagerModelBase", "ModelError", "register_model"]
__version__ = "0.1.0"
