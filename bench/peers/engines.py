"""The engines: what each is made from, which process runs it, and whether it counts as a peer."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BIN = Path(os.environ.get("ETALON", ROOT / "build/release/bin/etalon")).parent


@dataclass(frozen=True)
class Engine:
    """`artefact` is what convert.py makes; `binary` one of our programs, or none for a Python worker."""

    name: str
    what: str
    artefact: str
    binary: str = ""
    flags: tuple = ()
    worker: str = ""
    peer: bool = True

    def command(self, folder, inputs, threads):
        model = folder / self.artefact
        if not self.binary:
            return [sys.executable, str(HERE / "worker.py"), self.worker, str(model), str(threads), *map(str, inputs)]
        return [str(BIN / self.binary), f"--model_path={model}", f"--cpu_threads={threads}", "--command_mode",
                "--print_output=none", f"--inputs={','.join(map(str, inputs))}", *self.flags]

    def missing(self):
        """Why this engine cannot run here; None when it can."""
        if self.binary and not os.access(BIN / self.binary, os.X_OK):
            return f"{self.binary} is not built"
        return None


ENGINES = [
    Engine("et-xnnpack", "ExecuTorch's runtime and XNNPACK, on the file of ExecuTorch's own exporter", "real.pte",
           binary="etalon-executorch-runner"),
    Engine("et-ours", "the same runtime, on the file of our exporter", "ours.pte", binary="etalon-executorch-runner",
           peer=False),
    Engine("ort", "ONNX Runtime, CPU provider, all optimisations, sequential", "model.onnx", worker="ort"),
    Engine("openvino-f32", "OpenVINO with inference precision f32", "model.xml", worker="openvino-f32"),
    Engine("openvino", "OpenVINO as it comes (may compute in bf16)", "model.xml", worker="openvino"),
    Engine("litert", "LiteRT with its XNNPACK delegate", "model.tflite", worker="litert"),
    Engine("ours", "our native engine, on the file of our exporter", "ours.pte", binary="etalon-runner",
           flags=("--engine=native",), peer=False),
    Engine("ours-packed", "the same, with the packed weights that `etalon prepack` keeps beside the file", "packed.pte",
           binary="etalon-runner", flags=("--engine=native",), peer=False),
    Engine("ours-real", "our native engine, on the file of ExecuTorch's exporter", "real.pte", binary="etalon-runner",
           flags=("--engine=native",), peer=False),
    Engine("ours-fast", "our native engine with --math fast", "ours.pte", binary="etalon-runner",
           flags=("--engine=native", "--math=fast"), peer=False),
]
DEFAULT = [e.name for e in ENGINES if e.name not in ("ours-real", "ours-fast")]


def by_name(name):
    for engine in ENGINES:
        if engine.name == name:
            return engine
    raise SystemExit(f"--peers: no engine is called {name}; there are {', '.join(e.name for e in ENGINES)}")
