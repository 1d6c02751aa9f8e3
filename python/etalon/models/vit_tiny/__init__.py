"""ViT-Tiny (patch 16, 224x224) from timm, random weights."""

from etalon.model import EagerModelBase, register_model, require


@register_model("vit_tiny")
class ViTTiny(EagerModelBase):
    description = "ViT-Tiny/16 image classifier, 1000 classes"
    packages = ("timm",)

    def get_eager_model(self):
        timm = require("timm", "vit_tiny")
        return timm.create_model("vit_tiny_patch16_224", pretrained=False)

    def get_example_inputs(self):
        import torch

        return (torch.rand(1, 3, 224, 224) * 2 - 1,)
