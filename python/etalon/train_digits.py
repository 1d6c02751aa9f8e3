"""Trains toy_cnn and digits_mobilenet on scikit-learn's digits and stores their weights.

    python -m etalon.train_digits [--epochs N]

One thread and fixed seeds; the stored weights and the printed accuracy come from this program as it stands.
"""

import argparse
import importlib
from pathlib import Path

import torch
from torch import nn

from etalon.digits import load_digits

MODELS = ("toy_cnn", "digits_mobilenet")
_BATCH = 64
_SHIFT = 1  # pixels; the only augmentation, digits are 8x8


def accuracy(model, images, labels):
    """Share of right answers in evaluation mode."""
    model.eval()
    with torch.no_grad():
        return (model(images).argmax(1) == labels).float().mean().item()


def _shifted(images, generator):
    dy, dx = torch.randint(-_SHIFT, _SHIFT + 1, (2,), generator=generator).tolist()
    padded = nn.functional.pad(images, (_SHIFT,) * 4, value=-1.0)
    return padded[:, :, _SHIFT + dy : _SHIFT + dy + 8, _SHIFT + dx : _SHIFT + dx + 8]


def train(model, images, labels, epochs):
    """Trains in place with AdamW and a cosine schedule."""
    generator = torch.Generator().manual_seed(1)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=1e-2)
    steps = epochs * (len(images) // _BATCH)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    model.train()
    for _ in range(epochs):
        order = torch.randperm(len(images), generator=generator)
        for start in range(0, len(images) - _BATCH + 1, _BATCH):
            batch = order[start : start + _BATCH]
            loss = nn.functional.cross_entropy(
                model(_shifted(images[batch], generator)), labels[batch], label_smoothing=0.05
            )
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=60)
    epochs = parser.parse_args().epochs
    torch.set_num_threads(1)
    train_images, train_labels, test_images, test_labels = load_digits()
    for name in MODELS:
        module = importlib.import_module(f"etalon.models.{name}")
        torch.manual_seed(0)
        model = module.build()
        train(model, train_images, train_labels, epochs)
        share = accuracy(model, test_images, test_labels)
        path = Path(module.__file__).parent / "weights.pt"
        torch.save(model.state_dict(), path)
        count = sum(p.numel() for p in model.parameters())
        print(
            f"{name}: {count} parameters, test accuracy {share:.4f} on {len(test_labels)} images, "
            f"{path.stat().st_size} bytes in {path.name}"
        )


if __name__ == "__main__":
    main()
