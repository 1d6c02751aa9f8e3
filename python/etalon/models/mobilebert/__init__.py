"""MobileBERT from transformers, built from its configuration with random weights; 128 tokens."""

from etalon.model import EagerModelBase, register_model, require

_TOKENS = 128


def _encoder_only(model):
    import torch

    class EncoderOnly(torch.nn.Module):
        """Returns plain tensors instead of transformers' output object."""

        def __init__(self, encoder):
            super().__init__()
            self.encoder = encoder

        def forward(self, input_ids):
            result = self.encoder(input_ids, return_dict=False)
            return result[0], result[1]

    return EncoderOnly(model)


@register_model("mobilebert")
class MobileBert(EagerModelBase):
    description = "MobileBERT encoder, 24 layers, 128 tokens"
    packages = ("transformers",)
    input_modulus = {0: 30522}

    def get_eager_model(self):
        transformers = require("transformers", "mobilebert")
        config = transformers.MobileBertConfig(attn_implementation="eager")
        return _encoder_only(transformers.MobileBertModel(config))

    def get_example_inputs(self):
        import torch

        return (torch.randint(0, self.input_modulus[0], (1, _TOKENS)),)
