"""ResNet18 from torchvision, random weights."""

from etalon.model import register_model
from etalon.vision import TorchvisionClassifier


@register_model("resnet18")
class ResNet18(TorchvisionClassifier):
    description = "ResNet-18 image classifier, 1000 classes"
    builder = "resnet18"
