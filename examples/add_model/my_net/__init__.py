"""A small network of one's own, as a model for the exporter."""

import torch

from etalon import EagerModelBase, register_model


@register_model("my_net")
class MyNet(EagerModelBase):
    description = "two convolutions and a pooled head"

    def get_eager_model(self):
        return torch.nn.Sequential(
            torch.nn.Conv2d(3, 8, 3, stride=2, padding=1),
            torch.nn.ReLU(),
            torch.nn.Conv2d(8, 16, 3, stride=2, padding=1),
            torch.nn.ReLU(),
            torch.nn.AdaptiveAvgPool2d(1),
            torch.nn.Flatten(),
            torch.nn.Linear(16, 10),
        )

    def get_example_inputs(self):
        return (torch.rand(1, 3, 32, 32),)
