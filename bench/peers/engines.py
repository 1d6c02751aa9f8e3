"""The engines: what each is made from, which process runs it, and whether it counts as a peer."""

import functools
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BIN = Path(os.environ.get("ETALON", ROOT / "build/release/bin/etalon")).parent


KINDS = ("fp32", "int8", "16-bit")


@functools.cache
def _help_of(binary):
    return subprocess.run([BIN / binary, "--help"], capture_output=True, text=True, check=False).stdout


@dataclass(frozen=True)
class Engine:
    """`artefact` is what convert.py makes; `binary` one of our programs, or none for a Python worker. Engines of one `kind` are
    compared with each other."""

    name: str
    what: str
    artefact: str
    binary: str = ""
    flags: tuple = ()
    worker: str = ""
    peer: bool = True
    kind: str = "fp32"
    inputs: str = "input"

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
        for flag in self.flags:
            mode = flag.removeprefix("--math=")
            if mode != flag and mode not in _help_of(self.binary):
                return f"this build of {self.binary} has no {flag}"
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

    Engine("et-int8", "ExecuTorch's runtime and XNNPACK, quantised by torchao with ExecuTorch's XNNPACKQuantizer, per channel",
           "real_int8.pte", binary="etalon-executorch-runner", kind="int8"),
    Engine("et-ours-int8", "the same runtime, on the file of `etalon export --dtype int8`", "ours_int8.pte",
           binary="etalon-executorch-runner", kind="int8"),
    Engine("ort-int8", "ONNX Runtime, quantize_static: QDQ, uint8 activations, int8 weights per channel", "int8.onnx",
           worker="ort", kind="int8"),
    Engine("openvino-int8", "OpenVINO, quantised by NNCF (the rest in the precision it comes with)", "int8.xml",
           worker="openvino", kind="int8"),
    Engine("litert-int8", "LiteRT with its XNNPACK delegate, ai-edge-quantizer's static_wi8_ai8", "int8.tflite", worker="litert",
           kind="int8"),
    Engine("ours-int8", "our native engine, on the file of `etalon export --dtype int8`", "ours_int8.pte",
           binary="etalon-runner", flags=("--engine=native",), peer=False, kind="int8"),
    Engine("ours-int8-real", "our native engine, on the int8 file of ExecuTorch's exporter", "real_int8.pte",
           binary="etalon-runner", flags=("--engine=native",), peer=False, kind="int8"),

    Engine("et-half", "ExecuTorch's runtime and XNNPACK, on the module made .half()", "real_half.pte",
           binary="etalon-executorch-runner", kind="16-bit", inputs="half_input"),
    Engine("ort-half", "ONNX Runtime, its converter to float16", "half.onnx", worker="ort", kind="16-bit"),
    Engine("openvino-bf16", "OpenVINO with inference precision bf16", "model.xml", worker="openvino-bf16", kind="16-bit"),
    Engine("openvino-f16", "OpenVINO with inference precision f16", "model.xml", worker="openvino-f16", kind="16-bit"),
    Engine("ours-half", "our native engine, exact, on the file of `etalon export --dtype fp16`", "ours_half.pte",
           binary="etalon-runner", flags=("--engine=native",), peer=False, kind="16-bit", inputs="half_input"),
    Engine("ours-bf16", "our native engine with --math bf16, on the fp32 file", "ours.pte", binary="etalon-runner",
           flags=("--engine=native", "--math=bf16"), peer=False, kind="16-bit"),
]
_ON_REQUEST = ("ours-real", "ours-fast", "ours-int8-real")


def default(kinds):
    """Of these kinds, and ours in fp32, beside which the others are seen."""
    return [e.name for e in ENGINES if (e.kind in kinds and e.name not in _ON_REQUEST) or e.name == "ours"]


def by_name(name):
    for engine in ENGINES:
        if engine.name == name:
            return engine
    raise SystemExit(f"--peers: no engine is called {name}; there are {', '.join(e.name for e in ENGINES)}")
