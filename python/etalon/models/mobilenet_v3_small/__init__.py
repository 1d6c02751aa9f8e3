"""MobileNetV3Small from torchvision, random weights."""

from etalon.model import register_model
from etalon.vision import TorchvisionClassifier


@register_model("mobilenet_v3_small")
class MobileNetV3Small(TorchvisionClassifier):
    description = "MobileNetV3-Small image classifier, 1000 classes"
    builder = "mobilenet_v3_small"
