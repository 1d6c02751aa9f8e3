"""scikit-learn's digits: 1,797 images of 8x8 with a fixed split, as float tensors in [-1, 1]."""

_SPLIT_SEED = 20240229
_TEST_SHARE = 0.25


def load_digits():
    """Returns (train images, train labels, test images, test labels); images are [N, 1, 8, 8]."""
    import numpy
    import torch
    from sklearn.datasets import load_digits as load

    digits = load()
    images = (digits.images.astype(numpy.float32) / 8.0 - 1.0)[:, None]
    order = numpy.random.RandomState(_SPLIT_SEED).permutation(len(images))
    test_count = int(len(images) * _TEST_SHARE)
    test, train = order[:test_count], order[test_count:]
    labels = digits.target.astype(numpy.int64)
    return (
        torch.from_numpy(images[train]),
        torch.from_numpy(labels[train]),
        torch.from_numpy(images[test]),
        torch.from_numpy(labels[test]),
    )


def load_trained(model, folder):
    """Puts the stored weights of `folder`/weights.pt (fp32) into `model`."""
    from pathlib import Path

    import torch

    from etalon.model import ModelError

    path = Path(folder) / "weights.pt"
    if not path.exists():
        raise ModelError(f"{path} is missing: make it with python -m etalon.train_digits")
    model.load_state_dict(torch.load(path, weights_only=True))
    return model
