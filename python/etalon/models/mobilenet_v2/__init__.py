"""MobileNetV2 from torchvision, random weights."""

from etalon.model import register_model
from etalon.vision import TorchvisionClassifier


@register_model("mobilenet_v2")
class MobileNetV2(TorchvisionClassifier):
    description = "MobileNetV2 image classifier, 1000 classes"
    builder = "mobilenet_v2"
