"""ResNet50 from torchvision, random weights."""

from etalon.model import register_model
from etalon.vision import TorchvisionClassifier


@register_model("resnet50")
class ResNet50(TorchvisionClassifier):
    description = "ResNet-50 image classifier, 1000 classes"
    builder = "resnet50"
