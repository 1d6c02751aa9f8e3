"""MobileNetV3Large from torchvision, random weights."""

from etalon.model import register_model
from etalon.vision import TorchvisionClassifier


@register_model("mobilenet_v3_large")
class MobileNetV3Large(TorchvisionClassifier):
    description = "MobileNetV3-Large image classifier, 1000 classes"
    builder = "mobilenet_v3_large"
