"""What a model must offer to be exported, and the registry that finds it by name.

A model is a folder with an `__init__.py` (or `model.py`) that registers a class:

    from etalon import EagerModelBase, register_model

    @register_model("my_net")
    class MyNet(EagerModelBase):
        def get_eager_model(self):
            return MyModule()

        def get_example_inputs(self):
            return (torch.rand(1, 3, 32, 32),)

Built-in models are the folders of `etalon.models`; more come from `--models-dir`, without touching the package.
Importing a model's folder must be cheap: packages such as torchvision are imported inside `get_eager_model`.
"""

import importlib
import importlib.util
import sys
from abc import ABC, abstractmethod
from pathlib import Path

_registry = {}


class ModelError(Exception):
    """A model that cannot be had, with a message of one line that says what to do."""


class EagerModelBase(ABC):
    """An eager model with its example inputs.

    Class attributes (all optional):
      description     one line for `--list` and the zoo's index.
      trained         True when `get_eager_model` returns trained weights; anything else is called random.
      input_modulus   {position: n} for integer inputs: valid values are 0 .. n-1.
      packages        names of the packages the model is built from; recorded beside it.
    """

    description = ""
    trained = False
    input_modulus = {}
    packages = ()

    @abstractmethod
    def get_eager_model(self):
        """Returns the `torch.nn.Module`. Called after the random generator was seeded."""

    @abstractmethod
    def get_example_inputs(self):
        """Returns the tuple of positional inputs used to trace the model."""

    def get_example_kwargs(self):
        """Returns the keyword inputs used to trace the model."""
        return {}

    def get_dynamic_shapes(self):
        """Returns what `torch.export.export` takes as `dynamic_shapes`, or None for fixed shapes."""
        return None


def register_model(name):
    """Class decorator that makes the model available under `name`."""

    def register(cls):
        if not issubclass(cls, EagerModelBase):
            raise ModelError(f"model {name}: {cls.__name__} is not an EagerModelBase")
        known = _registry.get(name)
        if known is not None and (known.__module__, known.__qualname__) != (cls.__module__, cls.__qualname__):
            raise ModelError(
                f"model {name} is registered twice: by {known.__module__} and by {cls.__module__}"
            )
        _registry[name] = cls
        return cls

    return register


def require(package, model, hint=None):
    """Imports a package that only some models need; says which one and how to get it when it is missing."""
    try:
        if importlib.util.find_spec("torchvision"):  # timm and transformers import it too, the latter lazily
            from etalon import torchvision_ops

            torchvision_ops.import_torchvision()
        return importlib.import_module(package)
    except ImportError as error:
        missing = (error.name or package).split(".")[0]
        install = hint or f"pip install --no-deps {missing}"
        raise ModelError(
            f"model {model} needs the package {missing}, which is not installed: {install}"
        ) from error


def _folders(directory):
    return sorted(
        p
        for p in directory.iterdir()
        if p.is_dir() and ((p / "__init__.py").exists() or (p / "model.py").exists())
    )


def builtin_names():
    """Names of the built-in models, without importing them."""
    return [p.name for p in _folders(Path(__file__).parent / "models")]


def _import_file(module_name, path, package_dir=None):
    locations = [str(package_dir)] if package_dir else None
    spec = importlib.util.spec_from_file_location(module_name, path, submodule_search_locations=locations)
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    try:
        spec.loader.exec_module(module)
    except Exception:
        del sys.modules[module_name]
        raise


def load_models_dir(directory):
    """Imports every model folder in `directory`; returns the names they registered."""
    directory = Path(directory)
    if not directory.is_dir():
        raise ModelError(f"models folder {directory} does not exist")
    before = set(_registry)
    for folder in _folders(directory):
        init = folder / "__init__.py"
        path = init if init.exists() else folder / "model.py"
        try:
            _import_file(f"etalon_user_models_{folder.name}", path, package_dir=folder)
        except ModelError:
            raise
        except Exception as error:
            raise ModelError(f"{path}: {type(error).__name__}: {error}") from error
    added = sorted(set(_registry) - before)
    if not added:
        raise ModelError(
            f"models folder {directory} registers no model: wanted a folder per model with an "
            "__init__.py or model.py that calls register_model"
        )
    return added


def get_model(name):
    """Returns a new instance of the model registered as `name`."""
    if name not in _registry and name in builtin_names():
        importlib.import_module(f"etalon.models.{name}")
    if name not in _registry:
        known = ", ".join(sorted(set(builtin_names()) | set(_registry)))
        raise ModelError(f"unknown model {name}; known: {known}")
    return _registry[name]()


def all_models():
    """(name, class) of every built-in and every loaded user model."""
    for name in builtin_names():
        importlib.import_module(f"etalon.models.{name}")
    return sorted(_registry.items())
