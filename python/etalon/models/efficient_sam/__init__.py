"""The image encoder of EfficientSAM-Ti: a plain ViT-Tiny without class token and the two-convolution neck.

The ViT comes from timm; the neck (1x1 and 3x3 convolution, each with a layer norm over channels) is written here from
the paper's description. The model's own resolution is 1024x1024; 512x512 is exported. Random weights.
"""

from etalon.model import EagerModelBase, register_model, require

_SIZE = 512
_PATCH = 16
_NECK = 256


def _build(vision_transformer):
    from torch import nn

    class ChannelNorm(nn.Module):
        """Layer norm over the channel dimension of an NCHW tensor."""

        def __init__(self, channels):
            super().__init__()
            self.norm = nn.LayerNorm(channels, eps=1e-6)

        def forward(self, x):
            return self.norm(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)

    class ImageEncoder(nn.Module):
        def __init__(self):
            super().__init__()
            self.trunk = vision_transformer(
                img_size=_SIZE,
                patch_size=_PATCH,
                embed_dim=192,
                depth=12,
                num_heads=3,
                num_classes=0,
                class_token=False,
                global_pool="",
            )
            self.neck = nn.Sequential(
                nn.Conv2d(192, _NECK, 1, bias=False),
                ChannelNorm(_NECK),
                nn.Conv2d(_NECK, _NECK, 3, padding=1, bias=False),
                ChannelNorm(_NECK),
            )

        def forward(self, image):
            tokens = self.trunk(image)
            side = _SIZE // _PATCH
            features = tokens.transpose(1, 2).reshape(image.shape[0], tokens.shape[2], side, side)
            return self.neck(features)

    return ImageEncoder()


@register_model("efficient_sam")
class EfficientSam(EagerModelBase):
    description = "EfficientSAM-Ti image encoder, 512x512"
    packages = ("timm",)

    def get_eager_model(self):
        require("timm", "efficient_sam")
        module = require("timm.models.vision_transformer", "efficient_sam")
        return _build(module.VisionTransformer)

    def get_example_inputs(self):
        import torch

        return (torch.rand(1, 3, _SIZE, _SIZE) * 2 - 1,)
