"""EfficientNetB0 from torchvision, random weights."""

from etalon.model import register_model
from etalon.vision import TorchvisionClassifier


@register_model("efficientnet_b0")
class EfficientNetB0(TorchvisionClassifier):
    description = "EfficientNet-B0 image classifier, 1000 classes"
    builder = "efficientnet_b0"
