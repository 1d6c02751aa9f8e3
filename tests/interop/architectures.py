"""The corpus cases. Each is a real architecture made small; weights are random but seeded by the caller."""

import torch
from torch import nn
from torch.nn import functional as F

from etalon.model import require
from registry import Spec, case


def randomise_statistics(module):
    """Batch norm statistics away from 0 and 1, so that a mistake in them shows."""
    generator = torch.Generator().manual_seed(7)
    for layer in module.modules():
        if isinstance(layer, nn.modules.batchnorm._BatchNorm) and layer.running_mean is not None:
            layer.running_mean.copy_(torch.randn(layer.num_features, generator=generator) * 0.1)
            layer.running_var.copy_(torch.rand(layer.num_features, generator=generator) * 0.5 + 0.75)
    return module


def image(size, channels=3, batch=1):
    return torch.randn(batch, channels, size, size)


def torchvision_models():
    return require("torchvision.models", "corpus")


# --- image classifiers -------------------------------------------------------------------------------------------


@case("MobileNetV2, width 0.35, 96x96", real=True)
def mobilenet_v2():
    return Spec(
        torchvision_models().mobilenet_v2(weights=None, width_mult=0.35, num_classes=100), (image(96),)
    )


@case("MobileNetV3-Small, 96x96", real=True)
def mobilenet_v3_small():
    return Spec(torchvision_models().mobilenet_v3_small(weights=None, num_classes=100), (image(96),))


@case("ResNet-18, 64x64")
def resnet18():
    return Spec(torchvision_models().resnet18(weights=None, num_classes=10), (image(64),))


@case("ResNet bottleneck with groups (ResNeXt style), 64x64")
def resnext():
    models = torchvision_models()
    net = models.resnet.ResNet(
        models.resnet.Bottleneck, [1, 1, 1, 1], num_classes=10, groups=8, width_per_group=4
    )
    return Spec(net, (image(64),))


@case("EfficientNet-B0, 64x64")
def efficientnet_b0():
    return Spec(torchvision_models().efficientnet_b0(weights=None, num_classes=10), (image(64),))


@case("ShuffleNetV2: channel shuffle, 64x64")
def shufflenet_v2():
    return Spec(torchvision_models().shufflenet_v2_x0_5(weights=None, num_classes=10), (image(64),))


@case("SqueezeNet: fire modules, ceil-mode pooling, 64x64")
def squeezenet():
    return Spec(torchvision_models().squeezenet1_1(weights=None, num_classes=10), (image(64),))


@case("DenseNet: growing concatenations, 64x64")
def densenet():
    net = torchvision_models().DenseNet(
        growth_rate=8, block_config=(2, 3, 2), num_init_features=16, num_classes=10
    )
    return Spec(net, (image(64),))


@case("ViT (timm), 4 blocks, 64x64", real=True)
def vit():
    timm = require("timm", "corpus")
    net = timm.create_model("vit_tiny_patch16_224", pretrained=False, img_size=64, depth=4, num_classes=10)
    return Spec(net, (image(64),))


@case("Swin transformer: shifted windows, roll, relative position bias, 64x64")
def swin():
    swin_transformer = torchvision_models().swin_transformer
    net = swin_transformer.SwinTransformer(
        patch_size=[4, 4], embed_dim=24, depths=[2, 2], num_heads=[2, 4], window_size=[4, 4], num_classes=10
    )
    return Spec(net, (image(64),))


@case("ConvNeXt: depthwise 7x7, layer norm over channels, layer scale, 64x64")
def convnext():
    module = torchvision_models().convnext
    setting = [module.CNBlockConfig(24, 48, 2), module.CNBlockConfig(48, None, 2)]
    return Spec(module.ConvNeXt(setting, num_classes=10), (image(64),))


class SqueezeExciteNet(nn.Module):
    """Depthwise convolution, hardswish, squeeze and excite with hardsigmoid."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 16, 3, 2, 1)
        self.depthwise = nn.Conv2d(16, 16, 5, 1, 2, groups=16)
        self.reduce, self.expand = nn.Conv2d(16, 4, 1), nn.Conv2d(4, 16, 1)
        self.head = nn.Linear(16, 10)

    def forward(self, x):
        x = F.hardswish(self.depthwise(F.hardswish(self.stem(x))))
        scale = F.hardsigmoid(self.expand(F.relu(self.reduce(F.adaptive_avg_pool2d(x, 1)))))
        return self.head((x * scale).mean((2, 3)))


@case("depthwise convolution, hardswish, squeeze and excite", real=True, uses=(SqueezeExciteNet,))
def squeeze_excite():
    return Spec(SqueezeExciteNet(), (image(32),))


@case("a convolutional net in channels-last memory format")
def channels_last():
    net = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.AvgPool2d(2),
        nn.Conv2d(8, 16, 3, padding=1, bias=False),
        nn.SiLU(),
        nn.AdaptiveAvgPool2d(2),
        nn.Flatten(),
        nn.Linear(64, 10),
    )
    return Spec(net.to(memory_format=torch.channels_last), (image(16).to(memory_format=torch.channels_last),))


class Pooling(nn.Module):
    """Pooling and activation variants that classifiers use less often."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 12, 3, stride=2, dilation=2, padding_mode="replicate", padding=2)
        self.prelu, self.second = nn.PReLU(12), nn.Conv2d(12, 12, (1, 7), padding=(0, 3), groups=3)

    def forward(self, x):
        x = self.prelu(self.first(x))
        x = F.elu(self.second(F.max_pool2d(x, 3, 2, 1, ceil_mode=True)))
        x = F.avg_pool2d(x, 3, 2, 1, count_include_pad=False)
        return F.leaky_relu(F.adaptive_avg_pool2d(x, (3, 2))), F.softplus(x), F.log_softmax(x.flatten(1), 1)


@case("pooling, padding and activation variants", uses=(Pooling,))
def pooling():
    return Spec(Pooling(), (image(33),))


# --- dense prediction --------------------------------------------------------------------------------------------


class UNet(nn.Module):
    """Two levels; goes up by bilinear, by nearest and by transposed convolution."""

    def __init__(self):
        super().__init__()
        self.down1, self.down2, self.down3 = self._block(3, 8), self._block(8, 16), self._block(16, 32)
        self.up1 = self._block(48, 16)
        self.transposed = nn.ConvTranspose2d(16, 8, 2, stride=2)
        self.up2 = self._block(16, 8)
        self.head = nn.Conv2d(8, 4, 1)

    @staticmethod
    def _block(inputs, outputs):
        return nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)
        )

    def forward(self, x):
        a = self.down1(x)
        b = self.down2(F.max_pool2d(a, 2))
        c = self.down3(F.max_pool2d(b, 2))
        c = F.interpolate(c, scale_factor=2, mode="bilinear", align_corners=False)
        y = self.up1(torch.cat([c, b], 1))
        y = self.head(self.up2(torch.cat([self.transposed(y), a], 1)))
        return y, F.interpolate(y, scale_factor=2.0, mode="nearest").argmax(1)


@case("U-Net segmentation: bilinear, nearest, transposed convolution", real=True, uses=(UNet,))
def unet():
    return Spec(UNet(), (image(32),))


class SuperResolution(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(1, 16, 5, padding=2), nn.Tanh(), nn.Conv2d(16, 9, 3, padding=1))

    def forward(self, x):
        coarse = F.interpolate(x, size=(36, 36), mode="bilinear", align_corners=True)
        return torch.sigmoid(F.pixel_shuffle(self.body(x), 3) + coarse)


@case("super-resolution with pixel shuffle", uses=(SuperResolution,))
def super_resolution():
    return Spec(SuperResolution(), (image(12, channels=1),))


@case("DeepLab style: LR-ASPP head on MobileNetV3, 64x64")
def lraspp():
    segmentation = require("torchvision.models.segmentation", "corpus")

    class OnlyMask(nn.Module):
        def __init__(self, net):
            super().__init__()
            self.net = net

        def forward(self, x):
            return self.net(x)["out"]

    net = segmentation.lraspp_mobilenet_v3_large(weights=None, weights_backbone=None, num_classes=5)
    return Spec(OnlyMask(net), (image(64),))


# --- text --------------------------------------------------------------------------------------------------------


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.tokens, self.positions = nn.Embedding(200, 32), nn.Embedding(24, 32)
        layer = nn.TransformerEncoderLayer(32, 4, 64, batch_first=True, norm_first=True, activation="gelu")
        self.layers = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Linear(32, 3)

    def forward(self, ids, padding):
        x = self.tokens(ids) + self.positions(torch.arange(ids.shape[1], device=ids.device))
        return self.head(self.layers(x, src_key_padding_mask=padding)[:, 0])


@case("transformer encoder with padding mask", uses=(Encoder,))
def text_encoder():
    padding = torch.zeros(2, 24, dtype=torch.bool)
    padding[1, 17:] = True
    return Spec(Encoder(), (torch.randint(0, 200, (2, 24)), padding))


class PlainOutputs(nn.Module):
    """Returns the first outputs of a transformers model as plain tensors."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, input_ids, attention_mask):
        return self.net(input_ids, attention_mask=attention_mask, return_dict=False)[:2]


@case("BERT (transformers), 2 layers, keyword inputs", uses=(PlainOutputs,))
def bert():
    transformers = require("transformers", "corpus")
    config = transformers.BertConfig(
        vocab_size=300,
        hidden_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=96,
        max_position_embeddings=32,
        attn_implementation="eager",
    )
    mask = torch.ones(1, 16, dtype=torch.int64)
    mask[0, 12:] = 0
    kwargs = {"input_ids": torch.randint(0, 300, (1, 16)), "attention_mask": mask}
    return Spec(PlainOutputs(transformers.BertModel(config)), (), kwargs)


class GptBlock(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(approximate="tanh"), nn.Linear(4 * width, width)
        )

    def forward(self, x):
        batch, length, width = x.shape
        q, k, v = (
            t.view(batch, length, self.heads, -1).transpose(1, 2)
            for t in self.qkv(self.norm1(x)).chunk(3, -1)
        )
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(y.transpose(1, 2).reshape(batch, length, width))
        return x + self.mlp(self.norm2(x))


class Gpt(nn.Module):
    """A decoder whose output layer shares its weight with the embedding."""

    def __init__(self, vocabulary=160, width=48, length=20):
        super().__init__()
        self.tokens = nn.Embedding(vocabulary, width)
        self.positions = nn.Parameter(torch.randn(1, length, width) * 0.02)
        self.blocks = nn.Sequential(GptBlock(width, 4), GptBlock(width, 4))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, vocabulary, bias=False)
        self.head.weight = self.tokens.weight

    def forward(self, ids):
        return self.head(self.norm(self.blocks(self.tokens(ids) + self.positions[:, : ids.shape[1]])))


@case("GPT-like decoder: causal attention, tied weights", real=True, uses=(GptBlock, Gpt))
def gpt():
    return Spec(Gpt(), (torch.randint(0, 160, (1, 20)),))


class RotaryAttention(nn.Module):
    """A Llama-like block: RMS norm, rotary positions, grouped keys, explicit mask, SwiGLU."""

    def __init__(self, width=32, heads=4, groups=2, length=12):
        super().__init__()
        self.heads, self.groups, self.size = heads, groups, width // heads
        self.q, self.kv = (
            nn.Linear(width, width, bias=False),
            nn.Linear(width, 2 * groups * self.size, bias=False),
        )
        self.out, self.gate = nn.Linear(width, width, bias=False), nn.Linear(width, 64, bias=False)
        self.up, self.down = nn.Linear(width, 64, bias=False), nn.Linear(64, width, bias=False)
        self.scale = nn.Parameter(torch.ones(width))
        angles = torch.outer(
            torch.arange(length).float(), 1.0 / 100 ** (torch.arange(0, self.size, 2) / self.size)
        )
        self.register_buffer("cos", torch.cat([angles, angles], -1).cos(), persistent=False)
        self.register_buffer("sin", torch.cat([angles, angles], -1).sin(), persistent=False)

    def _norm(self, x):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-5) * self.scale

    def _rotate(self, x):
        first, second = x[..., : self.size // 2], x[..., self.size // 2 :]
        return x * self.cos + torch.cat((-second, first), -1) * self.sin

    def forward(self, x):
        batch, length, width = x.shape
        h = self._norm(x)
        q = self._rotate(self.q(h).view(batch, length, self.heads, self.size).transpose(1, 2))
        k, v = self.kv(h).view(batch, length, 2 * self.groups, self.size).transpose(1, 2).chunk(2, 1)
        repeat = self.heads // self.groups
        k, v = self._rotate(k).repeat_interleave(repeat, 1), v.repeat_interleave(repeat, 1)
        mask = torch.full((length, length), float("-inf")).triu(1)
        weights = torch.softmax(q @ k.transpose(-1, -2) / self.size**0.5 + mask, -1)
        x = x + self.out((weights @ v).transpose(1, 2).reshape(batch, length, width))
        h = self._norm(x)
        return x + self.down(F.silu(self.gate(h)) * self.up(h))


@case("Llama-like block: RMS norm, rotary positions, grouped-query attention", uses=(RotaryAttention,))
def llama_block():
    return Spec(RotaryAttention(), (torch.randn(2, 12, 32),))


# --- sequences and audio -----------------------------------------------------------------------------------------


class Recurrent(nn.Module):
    def __init__(self, kind, **options):
        super().__init__()
        self.rnn = kind(10, 16, num_layers=2, batch_first=True, **options)
        self.head = nn.Linear(32 if options.get("bidirectional") else 16, 5)

    def forward(self, x):
        y, state = self.rnn(x)
        return self.head(y), state


@case("LSTM, two layers, states returned", uses=(Recurrent,))
def lstm():
    return Spec(Recurrent(nn.LSTM), (torch.randn(2, 7, 10),))


@case("bidirectional GRU, two layers", uses=(Recurrent,))
def gru():
    return Spec(Recurrent(nn.GRU, bidirectional=True), (torch.randn(2, 7, 10),))


class AudioNet(nn.Module):
    """A keyword-spotting style network on the raw wave."""

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv1d(1, 16, 25, stride=8),
            nn.BatchNorm1d(16),
            nn.ReLU(),
            nn.MaxPool1d(4),
            nn.Conv1d(16, 32, 3, dilation=2, groups=4),
            nn.GELU(),
            nn.ReflectionPad1d(2),
            nn.ConvTranspose1d(32, 8, 4, stride=2),
            nn.AdaptiveAvgPool1d(1),
            nn.Flatten(),
            nn.Linear(8, 12),
        )

    def forward(self, wave):
        return F.log_softmax(self.net(wave / (wave.abs().amax(-1, keepdim=True) + 1e-3)), -1)


@case("1-D convolutional audio net", uses=(AudioNet,))
def audio():
    return Spec(AudioNet(), (torch.randn(2, 1, 800),))


class Norms(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.group = nn.Conv2d(3, 12, 3), nn.GroupNorm(4, 12)
        self.conv2, self.instance = nn.Conv2d(12, 8, 3), nn.InstanceNorm2d(8, affine=True)
        self.local = nn.LocalResponseNorm(3)

    def forward(self, x):
        x = self.instance(self.conv2(F.mish(self.group(self.conv1(x)))))
        return F.normalize(self.local(x), dim=1), x.std((2, 3)), x.var(1, unbiased=False)


@case("group norm, instance norm, normalise, statistics", uses=(Norms,))
def norms():
    return Spec(Norms(), (image(12, batch=2),))


class Volume(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Conv2d(4, 8, 1), nn.ReLU6())

    def forward(self, x):
        frames = x.permute(1, 0, 2, 3)
        return (
            self.net(frames).amax((2, 3)).cumsum(0),
            x.unfold(2, 3, 2).mean(-1),
            torch.einsum("tchw,tchw->tc", frames, frames),
        )


@case("video-like frames: einsum, unfold, cumsum", uses=(Volume,))
def frames():
    return Spec(Volume(), (torch.randn(4, 5, 7, 7),))


# --- interfaces and state ----------------------------------------------------------------------------------------


class Nested(nn.Module):
    def __init__(self):
        super().__init__()
        self.left, self.right = nn.Linear(6, 4), nn.Linear(5, 4)

    def forward(self, pair, options, *, scale, shift):
        a, b = self.left(pair[0]), self.right(pair[1]["deep"])
        y = (a + b) * scale + shift + options["bias"]
        return {"sum": y, "parts": (a, [b, y.sum()]), "flag": y > 0, "input": options["bias"]}


@case("nested inputs and outputs, keyword inputs", real=True, uses=(Nested,))
def nested():
    args = ((torch.randn(2, 6), {"deep": torch.randn(2, 5)}), {"bias": torch.randn(4)})
    return Spec(Nested(), args, {"scale": torch.randn(1), "shift": torch.randn(2, 1)})


@case("MLP with a dynamic batch of 1 to 16")
def dynamic_mlp():
    net = nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.LayerNorm(32), nn.Linear(32, 4), nn.Softmax(-1))
    batch = torch.export.Dim("batch", min=1, max=16)
    runs = [((torch.randn(n, 10),), {}) for n in (1, 16, 7)]
    return Spec(net, (torch.randn(4, 10),), dynamic_shapes=({0: batch},), more_runs=runs)


@case("convolutional net with a dynamic batch of 1 to 8", real=True)
def dynamic_cnn():
    net = nn.Sequential(
        nn.Conv2d(3, 8, 3, stride=2),
        nn.BatchNorm2d(8),
        nn.Hardswish(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(8 * 3 * 3, 10),
    )
    batch = torch.export.Dim("batch", min=1, max=8)
    runs = [((image(15, batch=n),), {}) for n in (1, 8, 5)]
    return Spec(net, (image(15, batch=2),), dynamic_shapes=({0: batch},), more_runs=runs)


class DynamicText(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(50, 16)
        self.attention = GptBlock(16, 2)

    def forward(self, ids):
        y = self.attention(self.embedding(ids))
        return y.mean(1), y.reshape(ids.shape[0], -1)[:, : ids.shape[1] + 3]


@case("attention over a dynamic length of 2 to 24", uses=(GptBlock, DynamicText))
def dynamic_length():
    length = torch.export.Dim("length", min=2, max=24)
    runs = [((torch.randint(0, 50, (2, n)),), {}) for n in (2, 24, 11)]
    return Spec(DynamicText(), (torch.randint(0, 50, (2, 9)),), dynamic_shapes=({1: length},), more_runs=runs)


class Counter(nn.Module):
    """State that survives from call to call: a counter, a running mean and a ring of the last inputs."""

    def __init__(self):
        super().__init__()
        self.register_buffer("count", torch.zeros((), dtype=torch.int64))
        self.register_buffer("mean", torch.zeros(4))
        self.register_buffer("ring", torch.zeros(3, 4))

    def forward(self, x):
        self.count.add_(1)
        self.mean.mul_(0.9).add_(x, alpha=0.1)
        self.ring.copy_(torch.cat([self.ring[1:], x.unsqueeze(0)]))
        return self.mean + self.count, self.ring.sum(0)


@case("mutated buffers over several calls", real=True, uses=(Counter,))
def buffer_mutation():
    return Spec(Counter(), (torch.randn(4),), more_runs=[((torch.randn(4),), {}) for _ in range(3)])


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.encode, self.decode = nn.Linear(12, 6, bias=False), nn.Linear(6, 12)
        self.again = self.encode

    def forward(self, x):
        code = torch.tanh(self.encode(x))
        return self.decode(code) + F.linear(code, self.again.weight.t()), self.again(x)


@case("autoencoder with tied weights", uses=(Tied,))
def tied_weights():
    return Spec(Tied(), (torch.randn(3, 12),))


# --- dtypes and indexing -----------------------------------------------------------------------------------------


class Integers(nn.Module):
    def forward(self, a, b, mask):
        total = a * b + torch.arange(4)
        ratio = a / 3
        return (
            total,
            total.abs() % 5,
            torch.where(mask, a, b),
            mask & (a > b),
            ratio,
            (a // 2).to(torch.int32),
            ~mask,
        )


@case("int64, int32 and bool arithmetic", uses=(Integers,))
def integers():
    return Spec(
        Integers(), (torch.randint(-9, 9, (3, 4)), torch.randint(1, 9, (3, 4)), torch.rand(3, 4) > 0.5)
    )


class Remainder(nn.Module):
    def forward(self, a, b):
        return a % 5, torch.remainder(a, b), torch.fmod(a, b)


@case("remainders of negative integers", uses=(Remainder,))
def remainder():
    return Spec(Remainder(), (torch.randint(-9, 9, (3, 4)), torch.tensor([3, -4, 7, -2])))


@case("convolutional net in fp16", dtype="fp16")
def half_cnn():
    net = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(512, 10),
    )
    return Spec(net.half(), (image(16).half(),))


class BrainFloat(nn.Module):
    """bfloat16 inside, fp32 outside, as mixed-precision models have it."""

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(16, 32), nn.LayerNorm(32), nn.GELU(), nn.Linear(32, 8)).to(
            torch.bfloat16
        )

    def forward(self, x):
        return self.net(x.to(torch.bfloat16)).float()


@case("bfloat16 inside", dtype="bf16", uses=(BrainFloat,))
def bfloat16_mlp():
    return Spec(BrainFloat(), (torch.randn(4, 16),))


@case("MLP in fp64", dtype="fp64")
def double_mlp():
    net = nn.Sequential(nn.Linear(9, 24), nn.Sigmoid(), nn.Linear(24, 5), nn.Softmax(1)).double()
    return Spec(net, (torch.randn(3, 9, dtype=torch.float64),))


class Indexing(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = nn.Parameter(torch.randn(20, 6))

    def forward(self, x, index, rows):
        gathered = torch.gather(x, 1, index)
        picked = self.table[rows]
        masked = x.masked_fill(x < 0, -1.5)
        spread = torch.zeros(4, 8).scatter_add(1, index, gathered)
        values, order = x.topk(3, dim=1)
        return (
            gathered,
            picked,
            masked,
            spread,
            values,
            order,
            torch.where(x > 0.3, x, x * 0.1),
            x.index_select(1, torch.tensor([3, 0, 5])),
            x.argmax(1),
            x.amin(1),
        )


@case("gather, index, scatter, masked fill, top-k", uses=(Indexing,))
def indexing():
    return Spec(Indexing(), (torch.randn(4, 8), torch.randint(0, 8, (4, 5)), torch.tensor([3, 19, 0])))


class Slices(nn.Module):
    """In-place writes through views: what functionalisation is for."""

    def forward(self, x):
        y = x.clone()
        y[:, 0] = 1.0
        y[:, 1:3] += 2.0
        y[0].mul_(3.0)
        view = y.view(2, -1)
        view[:, ::2].neg_()
        z = y.transpose(0, 1)
        z[2] = y[:, 3]
        y[x > 1.0] = 0.5
        return (
            y,
            z[1:, :],
            view.flatten().unsqueeze(0).expand(2, -1).contiguous(),
            torch.stack(y.unbind(1), 0),
        )


@case("in-place writes through slices and views", uses=(Slices,))
def slices():
    return Spec(Slices(), (torch.randn(4, 6),))


class Maths(nn.Module):
    def forward(self, x, y):
        p = x.abs() + 0.1
        return (
            torch.exp(-p) + torch.log1p(p) + torch.rsqrt(p) + p.pow(1.7) + torch.erf(x),
            torch.atan2(x, p) + torch.sinh(x),
            x.sin() * y.cos() + torch.tanh(y),
            torch.clamp(x, -0.5, 0.7) + x.round() + x.floor() + torch.sign(y),
            torch.maximum(x, y) - torch.minimum(x, y),
            torch.logsumexp(x, -1),
            torch.prod(x, 1),
            torch.fmod(x, 0.7),
            torch.cdist(x, y),
            x @ y.t(),
            x.flip(1),
            torch.roll(x, 2, 1),
            torch.baddbmm(x[None], x[None, :, :3], y[None, :3]),
            torch.all(x > -5),
            torch.any(y > 5, 1),
        )


@case("scalar functions, reductions, matrix products", uses=(Maths,))
def maths():
    return Spec(Maths(), (torch.randn(4, 6), torch.randn(4, 6)))


class Mixture(nn.Module):
    """Two experts, gated per row."""

    def __init__(self):
        super().__init__()
        self.gate = nn.Linear(8, 2)
        self.experts = nn.ModuleList([nn.Bilinear(8, 8, 4), nn.Bilinear(8, 8, 4)])

    def forward(self, x):
        share = F.softmax(self.gate(x), -1)
        stacked = torch.stack([e(x, x) for e in self.experts], 1)
        return (share.unsqueeze(-1) * stacked).sum(1), F.glu(x, -1), F.one_hot(share.argmax(-1), 2)


@case("mixture of experts: bilinear layers, stack, one-hot", uses=(Mixture,))
def mixture():
    return Spec(Mixture(), (torch.randn(5, 8),))


class Scans(nn.Module):
    """Running products and extrema, searches, bags, reductions by index."""

    def __init__(self):
        super().__init__()
        self.bags = nn.ModuleList([nn.EmbeddingBag(10, 4, mode=mode) for mode in ("sum", "mean", "max")])

    def forward(self, x, index):
        edges = torch.tensor([-1.0, 0.0, 0.5])
        reduced = [x.scatter_reduce(1, index, x, how) for how in ("prod", "mean", "amax", "amin")]
        return (
            torch.cumprod(x, 1),
            torch.logcumsumexp(x, 0),
            *torch.cummax(x, 1),
            torch.bucketize(x, edges, right=True),
            torch.searchsorted(x.sort(1)[0], x),
            torch.isin(index, torch.tensor([1, 3])),
            torch.kron(x, edges[None]),
            torch.block_diag(x, x),
            *(bag(index) for bag in self.bags),
            *reduced,
        )


@case("scans, searches, embedding bags, reductions by index", uses=(Scans,))
def scans():
    return Spec(Scans(), (torch.randn(4, 6), torch.randint(0, 6, (4, 6))))


class Volumes(nn.Module):
    """Three dims: transposed convolution, resizing, uneven pooling; windows put back; an affine grid."""

    def __init__(self):
        super().__init__()
        self.up = nn.ConvTranspose3d(2, 4, 3, stride=2, padding=1, output_padding=1, groups=2)

    def forward(self, x, theta):
        y = self.up(x)
        image = x[:, :, 0]
        columns = F.unfold(image, 3, padding=1, stride=2)
        return (
            y,
            F.interpolate(x, scale_factor=2, mode="trilinear"),
            F.interpolate(x, size=(5, 3, 7), mode="trilinear", align_corners=True),
            F.interpolate(x, scale_factor=2),
            *F.adaptive_max_pool3d(x, 2, return_indices=True),
            *F.adaptive_max_pool2d(image, (3, 2), return_indices=True),
            F.fold(columns, image.shape[2:], 3, padding=1, stride=2),
            F.affine_grid(theta, (1, 2, 4, 5), align_corners=False),
        )


@case("volumes: transposed convolution, resizing, uneven pooling, fold", uses=(Volumes,))
def volumes():
    return Spec(Volumes(), (torch.randn(1, 2, 3, 4, 5), torch.randn(1, 2, 3)))


class TwoNorms(nn.Module):
    """A normalised convolution that feeds both a second norm and another convolution (RepGhost's training form)."""

    def __init__(self):
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(3, 8, 1, bias=False), nn.BatchNorm2d(8))
        self.cheap = nn.Sequential(nn.Conv2d(8, 8, 3, padding=1, groups=8, bias=False), nn.BatchNorm2d(8))
        self.fusion = nn.BatchNorm2d(8)

    def forward(self, x):
        y = self.first(x)
        return self.cheap(y) + self.fusion(y)


@case("a batch norm after a batch norm with two users", uses=(TwoNorms,))
def two_norms():
    return Spec(TwoNorms(), (image(16),))
