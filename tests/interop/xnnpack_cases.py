"""Models for comparing our XNNPACK lowering with ExecuTorch's own: the zoo, and architectures beyond the corpus."""

import torch
from torch import nn
from torch.nn import functional as F

from architectures import image, torchvision_models
from etalon import weights
from etalon.model import get_model, require
from registry import Entry, Spec

_FORMAT = 1
ZOO = (
    "digits_mobilenet",
    "edgetam_image_encoder",
    "efficient_sam",
    "efficientnet_b0",
    "mobilebert",
    "mobilenet_v2",
    "mobilenet_v3_large",
    "mobilenet_v3_small",
    "resnet18",
    "resnet50",
    "toy_cnn",
    "vit_tiny",
)


def _zoo_spec(name):
    def build():
        definition = get_model(name)
        torch.manual_seed(0)
        net = definition.get_eager_model().eval()
        inputs = [
            torch.from_numpy(weights.draw_input(i, tuple(x.shape), x.numpy().dtype, definition.input_modulus.get(i)))
            for i, x in enumerate(definition.get_example_inputs())
        ]
        return Spec(net, tuple(inputs), definition.get_example_kwargs())

    return build


class _Blocks(nn.Module):
    """A timm model seen as a plain module."""

    def __init__(self, name, **options):
        super().__init__()
        self.net = require("timm", "xnnpack cases").create_model(name, pretrained=False, num_classes=10, **options)

    def forward(self, x):
        return self.net(x)


def _timm(name, size, **options):
    return lambda: Spec(_Blocks(name, **options), (image(size),))


def _vision(name, size, **options):
    return lambda: Spec(getattr(torchvision_models(), name)(weights=None, num_classes=10, **options), (image(size),))


class _Names(nn.Module):
    """Activations, products and rearrangements that classifiers use less often."""

    def __init__(self):
        super().__init__()
        self.conv1d = nn.Conv1d(6, 12, 5, padding=2, groups=2)
        self.up = nn.ConvTranspose2d(8, 12, 3, stride=2, padding=1, output_padding=1, groups=2)
        self.prelu, self.norm = nn.PReLU(12), nn.BatchNorm1d(12)
        self.mix = nn.Linear(20, 20)

    def forward(self, x, y):
        a = self.norm(F.mish(self.conv1d(x)))
        b = self.prelu(self.up(y))
        c = torch.cat([F.elu(b), F.leaky_relu(b, 0.2), F.selu(b), b.clamp(-0.5, 0.5), F.softplus(b), F.silu(b)], 1)
        d = F.pixel_shuffle(c[:, :32], 2) * torch.rsqrt(c.mean((2, 3), keepdim=True)[:, :8].square() + 1)
        e = self.mix(a.transpose(1, 2).mean(1, keepdim=True).expand(-1, 20, -1).transpose(1, 2)).softmax(1)
        return a, F.interpolate(c, scale_factor=3), d.amax((2, 3)), torch.stack([e, e.pow(3)], 2), F.gelu(d, approximate="tanh")


def _bert():
    transformers = require("transformers", "xnnpack cases")
    config = transformers.BertConfig(
        vocab_size=500, hidden_size=128, num_hidden_layers=4, num_attention_heads=4, intermediate_size=512
    )

    class Plain(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = transformers.BertModel(config, add_pooling_layer=False)

        def forward(self, ids):
            return self.net(ids, return_dict=False)[0]

    return Spec(Plain(), (torch.randint(0, 500, (1, 64)),))


_MORE = {
    "bert_small": _bert,
    "rare_operators": lambda: Spec(_Names(), (torch.randn(1, 6, 20), torch.randn(1, 8, 6, 6))),
    "mnasnet": _vision("mnasnet0_5", 64),
    "shufflenet": _vision("shufflenet_v2_x1_0", 64),
    "squeezenet": _vision("squeezenet1_0", 64),
    "regnet": _vision("regnet_y_400mf", 64),
    "googlenet": _vision("googlenet", 96, aux_logits=False, init_weights=False),
    "vgg11": _vision("vgg11_bn", 32, init_weights=False),
    "mobilevit": _timm("mobilevit_xxs", 128),
    "mobileone": _timm("mobileone_s0", 64),
    "ghostnet": _timm("ghostnet_100", 64),
    "repvgg": _timm("repvgg_a0", 64),
    "mixer": _timm("mixer_s32_224", 64, img_size=64),
    "lcnet": _timm("lcnet_050", 64),
    "efficientnet_lite0": _timm("efficientnet_lite0", 64),
    "fastvit": _timm("fastvit_t8", 64),
    "edgenext": _timm("edgenext_xx_small", 64),
    "deit": _timm("deit_tiny_patch16_224", 64, img_size=64, depth=3),
    "hardcorenas": _timm("hardcorenas_a", 64),
    "mobilenet_v4": _timm("mobilenetv4_conv_small", 64),
}

CASES = {f"zoo_{name}": _zoo_spec(name) for name in ZOO} | {f"more_{name}": build for name, build in _MORE.items()}


def entry(name):
    """The case's entry for corpus.build_entry()."""
    return Entry(name, name, "fp32", True, (), CASES[name], f"xnnpack case {name} {_FORMAT}")
