"""A base for torchvision classifiers: only the constructor's name differs between them."""

from etalon.model import EagerModelBase, require


class TorchvisionClassifier(EagerModelBase):
    """`builder` is the name of the function in torchvision.models; the input is one 224x224 RGB image."""

    builder = ""
    packages = ("torchvision",)

    def get_eager_model(self):
        require("torchvision", self.builder)
        models = require("torchvision.models", self.builder)
        return getattr(models, self.builder)(weights=None)

    def get_example_inputs(self):
        import torch

        return (torch.rand(1, 3, 224, 224) * 2 - 1,)
