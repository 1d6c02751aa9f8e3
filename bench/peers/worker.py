"""One engine in one process, driven over pipes: worker.py ENGINE MODEL THREADS INPUT...

Says {"engine", "version"} when its packages are imported, then obeys lines on stdin and answers each with one line of
JSON, as `etalon-runner --command_mode` does: load, run N, output DIR.
"""

import functools
import gc
import json
import sys
import time
from pathlib import Path

import numpy


class OnnxRuntime:
    def __init__(self, model, threads, inputs):
        import onnxruntime

        self._ort = onnxruntime
        self.version = onnxruntime.__version__
        self._model, self._threads, self._arrays = model, threads, inputs

    def load(self):
        options = self._ort.SessionOptions()
        options.intra_op_num_threads = self._threads
        options.inter_op_num_threads = 1
        options.execution_mode = self._ort.ExecutionMode.ORT_SEQUENTIAL
        options.graph_optimization_level = self._ort.GraphOptimizationLevel.ORT_ENABLE_ALL
        self._session = self._ort.InferenceSession(self._model, options, providers=["CPUExecutionProvider"])
        self._feeds = {i.name: a for i, a in zip(self._session.get_inputs(), self._arrays)}
        self.run = lambda: self._session.run(None, self._feeds)

    def outputs(self):
        return self.run()


class OpenVino:
    def __init__(self, model, threads, inputs, precision=None):
        import openvino

        self._ov = openvino
        self.version = openvino.__version__
        self._model, self._arrays = model, inputs
        self._settings = {"INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1, "PERFORMANCE_HINT": "LATENCY",
                          "ENABLE_CPU_PINNING": False}
        if precision:
            self._settings["INFERENCE_PRECISION_HINT"] = precision

    def load(self):
        compiled = self._ov.Core().compile_model(self._model, "CPU", self._settings)
        self._request = compiled.create_infer_request()
        for i, array in enumerate(self._arrays):
            self._request.set_input_tensor(i, self._ov.Tensor(array, shared_memory=True))
        self._count = len(compiled.outputs)
        self.run = self._request.infer

    def outputs(self):
        return [self._request.get_output_tensor(i).data for i in range(self._count)]


class LiteRt:
    def __init__(self, model, threads, inputs):
        from importlib import metadata

        from ai_edge_litert import interpreter

        self._lib = interpreter
        self.version = metadata.version("ai-edge-litert")
        self._model, self._threads, self._arrays = model, threads, inputs

    def load(self):
        self._interpreter = self._lib.Interpreter(model_path=self._model, num_threads=self._threads)
        self._interpreter.allocate_tensors()
        details = sorted(self._interpreter.get_input_details(), key=lambda d: d["name"])
        self._feeds = [(d["index"], self._as_wanted(d, a)) for d, a in zip(details, self._arrays)]

    @staticmethod
    def _as_wanted(detail, array):
        """The converter narrows 64-bit indices; int8 models may want codes."""
        scale, zero = detail["quantization"]
        if not scale:
            return array.astype(detail["dtype"], copy=False)
        limits = numpy.iinfo(detail["dtype"])
        return numpy.clip(numpy.round(array / scale) + zero, limits.min, limits.max).astype(detail["dtype"])

    def run(self):
        for index, array in self._feeds:
            self._interpreter.set_tensor(index, array)
        self._interpreter.invoke()

    def outputs(self):
        details = sorted(self._interpreter.get_output_details(), key=lambda d: d["name"])
        return [self._as_float(d, self._interpreter.get_tensor(d["index"])) for d in details]

    @staticmethod
    def _as_float(detail, array):
        scale, zero = detail["quantization"]
        return (array.astype(numpy.float32) - zero) * numpy.float32(scale) if scale else array


ENGINES = {
    "ort": OnnxRuntime,
    "openvino": OpenVino,
    **{f"openvino-{p}": functools.partial(OpenVino, precision=p) for p in ("f32", "bf16", "f16")},
    "litert": LiteRt,
}


def answer(out, **fields):
    out.write(json.dumps(fields) + "\n")
    out.flush()


def obey(engine, command, out):
    if command == "load":
        start = time.perf_counter_ns()
        engine.load()
        answer(out, load_ms=(time.perf_counter_ns() - start) / 1e6)
        return
    word, argument = command.split(" ", 1)
    if word == "run":
        times = []
        for _ in range(int(argument)):
            start = time.perf_counter_ns()
            engine.run()
            times.append((time.perf_counter_ns() - start) / 1e6)
        answer(out, ms=times)
    elif word == "output":
        Path(argument).mkdir(parents=True, exist_ok=True)
        for i, array in enumerate(engine.outputs()):
            numpy.save(Path(argument) / f"{i}.npy", array)
        answer(out)


def main():
    name, model, threads, *inputs = sys.argv[1:]
    out = sys.stdout
    sys.stdout = sys.stderr  # what libraries print is not an answer
    engine = ENGINES[name](model, int(threads), [numpy.load(path) for path in inputs])
    gc.disable()
    answer(out, engine=name, version=engine.version, threads=int(threads))
    for line in sys.stdin:
        obey(engine, line.strip(), out)


if __name__ == "__main__":
    main()
