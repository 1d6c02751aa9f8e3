"""A MobileNetV3-like network, really trained on scikit-learn's digits (etalon/train_digits.py).

It has what the large mobile networks have (inverted residuals, depthwise convolutions, squeeze and excite, hardswish,
batch norm), so that accuracy before and after int8 can be measured on it.
"""

from pathlib import Path

from etalon.digits import load_trained
from etalon.model import EagerModelBase, register_model

# (expanded channels, output channels, kernel, stride, squeeze and excite, hardswish)
_BLOCKS = (
    (24, 16, 3, 1, True, False),
    (48, 24, 3, 2, False, False),
    (72, 24, 3, 1, False, False),
    (72, 32, 5, 2, True, True),
    (96, 32, 5, 1, True, True),
)


def build():
    """The untrained network: 1x8x8 image in (upscaled to 16x16 inside), 10 class scores out."""
    import torch
    from torch import nn

    class SqueezeExcite(nn.Module):
        def __init__(self, channels):
            super().__init__()
            self.pool = nn.AdaptiveAvgPool2d(1)
            self.reduce = nn.Conv2d(channels, channels // 4, 1)
            self.expand = nn.Conv2d(channels // 4, channels, 1)

        def forward(self, x):
            scale = torch.relu(self.reduce(self.pool(x)))
            return x * nn.functional.hardsigmoid(self.expand(scale))

    def conv(inputs, outputs, kernel, stride, groups, activation):
        layers = [
            nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
            nn.BatchNorm2d(outputs),
        ]
        return layers + ([activation()] if activation else [])

    class Block(nn.Module):
        def __init__(self, inputs, expanded, outputs, kernel, stride, squeeze, hardswish):
            super().__init__()
            activation = nn.Hardswish if hardswish else nn.ReLU
            layers = conv(inputs, expanded, 1, 1, 1, activation)
            layers += conv(expanded, expanded, kernel, stride, expanded, activation)
            layers += [SqueezeExcite(expanded)] if squeeze else []
            layers += conv(expanded, outputs, 1, 1, 1, None)
            self.layers = nn.Sequential(*layers)
            self.residual = stride == 1 and inputs == outputs

        def forward(self, x):
            return x + self.layers(x) if self.residual else self.layers(x)

    class DigitsMobileNet(nn.Module):
        def __init__(self):
            super().__init__()
            self.upscale = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)
            self.stem = nn.Sequential(*conv(1, 16, 3, 1, 1, nn.Hardswish))
            widths = [16] + [b[1] for b in _BLOCKS]
            self.blocks = nn.Sequential(*(Block(w, *b) for w, b in zip(widths, _BLOCKS)))
            self.head = nn.Sequential(*conv(widths[-1], 96, 1, 1, 1, nn.Hardswish))
            self.classifier = nn.Sequential(
                nn.Linear(96, 96), nn.Hardswish(), nn.Dropout(0.2), nn.Linear(96, 10)
            )

        def forward(self, x):
            x = self.head(self.blocks(self.stem(self.upscale(x))))
            return self.classifier(x.mean((2, 3)))

    return DigitsMobileNet()


@register_model("digits_mobilenet")
class DigitsMobileNet(EagerModelBase):
    description = "small MobileNetV3-like network, trained on 8x8 digits"
    trained = True
    packages = ("scikit-learn",)

    def get_eager_model(self):
        return load_trained(build(), Path(__file__).parent)

    def get_example_inputs(self):
        import torch

        return (torch.rand(1, 1, 8, 8) * 2 - 1,)
