"""The image encoder of EdgeTAM: RepViT-M1 trunk and feature pyramid, from transformers and timm, random weights.

The model's own resolution is 1024x1024; 512x512 is exported, which keeps every operator and a quarter of the work.
"""

from etalon.model import EagerModelBase, register_model, require

_SIZE = 512


def _pyramid_only(model):
    import torch

    class PyramidOnly(torch.nn.Module):
        """Returns the feature maps as plain tensors, finest first."""

        def __init__(self, encoder):
            super().__init__()
            self.encoder = encoder

        def forward(self, pixel_values):
            return tuple(self.encoder(pixel_values).fpn_hidden_states)

    return PyramidOnly(model)


@register_model("edgetam_image_encoder")
class EdgeTamImageEncoder(EagerModelBase):
    description = "EdgeTAM image encoder (RepViT-M1 and feature pyramid), 512x512"
    packages = ("transformers", "timm")

    def get_eager_model(self):
        timm = require("timm", "edgetam_image_encoder")
        transformers = require("transformers", "edgetam_image_encoder")
        trunk = transformers.TimmWrapperConfig(
            architecture="repvit_m1",
            model_args={"in_chans": 3, "features_only": True, "out_indices": [0, 1, 2, 3]},
        )
        config = transformers.EdgeTamVisionConfig(backbone_config=trunk)
        encoder = transformers.EdgeTamVisionModel(config).eval()
        # RepViT trains with parallel branches and is deployed with each bundle folded into one convolution.
        return _pyramid_only(timm.utils.reparameterize_model(encoder))

    def get_example_inputs(self):
        import torch

        return (torch.rand(1, 3, _SIZE, _SIZE) * 2 - 1,)
