"""The list of corpus cases: what each is, and how to build it."""

from dataclasses import dataclass, field

REGISTRY = {}


@dataclass
class Spec:
    """A built case: the module, what to trace it with, and further runs [(args, kwargs)] after the traced inputs."""

    module: object
    args: tuple
    kwargs: dict = field(default_factory=dict)
    dynamic_shapes: object = None
    more_runs: list = field(default_factory=list)

    def all_runs(self):
        return [(self.args, self.kwargs)] + list(self.more_runs)


@dataclass
class Entry:
    """`dtype` sets the tolerance; `real` cases are also lowered with the real ExecuTorch; `uses` enter the hash.

    `source` stands for the builder's source where builders are made in a loop.
    """

    name: str
    what: str
    dtype: str
    real: bool
    uses: tuple
    build: object
    source: str = ""


def case(what, dtype="fp32", real=False, uses=()):
    """Decorator: registers a function that returns a Spec, under the function's name."""

    def register(build):
        REGISTRY[build.__name__] = Entry(build.__name__, what, dtype, real, tuple(uses), build)
        return build

    return register
