"""A small convolutional network, really trained on scikit-learn's digits (etalon/train_digits.py)."""

from pathlib import Path

from etalon.digits import load_trained
from etalon.model import EagerModelBase, register_model


def build():
    """The untrained network: 1x8x8 image in, 10 class scores out."""
    from torch import nn

    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(16, 32, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(32, 32, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(32 * 2 * 2, 64),
        nn.ReLU(),
        nn.Linear(64, 10),
    )


@register_model("toy_cnn")
class ToyCnn(EagerModelBase):
    description = "three convolutions and two linear layers, trained on 8x8 digits"
    trained = True
    packages = ("scikit-learn",)

    def get_eager_model(self):
        return load_trained(build(), Path(__file__).parent)

    def get_example_inputs(self):
        import torch

        return (torch.rand(1, 1, 8, 8) * 2 - 1,)
