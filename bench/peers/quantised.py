"""The int8 files, static: each made by its own tools, calibrated on the same samples."""

import sources


def ours(folder, target):
    sources.export_ours(folder, target, "--dtype", "int8", "--calib", sources.calibration(folder))


def real(folder, target):
    """torchao's quantisation of exported programs with ExecuTorch's XNNPACK quantiser."""
    import torch
    from executorch.backends.xnnpack.quantizer.xnnpack_quantizer import (
        XNNPACKQuantizer,
        get_symmetric_quantization_config,
    )
    from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e

    quantizer = XNNPACKQuantizer()
    quantizer.set_global(get_symmetric_quantization_config(is_per_channel=True))
    with torch.no_grad():
        prepared = prepare_pt2e(sources.program(folder).module(), quantizer)
        for sample in sources.calibration_batches(folder):
            prepared(torch.from_numpy(sample))
        converted = convert_pt2e(prepared)
        sources.lower(torch.export.export(converted, sources.inputs(folder)), target)


def onnx(folder, target):
    """ONNX Runtime's quantize_static after its own preparation, in its recommended QDQ form."""
    import onnxruntime
    from onnxruntime import quantization

    class Samples(quantization.CalibrationDataReader):
        def __init__(self):
            session = onnxruntime.InferenceSession(folder / "model.onnx", providers=["CPUExecutionProvider"])
            name = session.get_inputs()[0].name
            self._left = iter([{name: sample} for sample in sources.calibration_batches(folder)])

        def get_next(self):
            return next(self._left, None)

    prepared = target.with_suffix(".prepared.onnx")
    quantization.quant_pre_process(str(folder / "model.onnx"), str(prepared), skip_symbolic_shape=True)
    quantization.quantize_static(
        str(prepared), str(target), Samples(), quant_format=quantization.QuantFormat.QDQ, per_channel=True,
        activation_type=quantization.QuantType.QUInt8, weight_type=quantization.QuantType.QInt8)
    prepared.unlink()


def openvino_ir(folder, target):
    """NNCF's post-training quantisation, told that a model with attention is a transformer, as its guide says."""
    import nncf
    import openvino

    model = openvino.Core().read_model(folder / "model.xml")
    attention = any(op.get_type_name() in ("Softmax", "ScaledDotProductAttention") for op in model.get_ops())
    samples = sources.calibration_batches(folder)
    done = nncf.quantize(model, nncf.Dataset(samples), subset_size=len(samples),
                         model_type=nncf.ModelType.TRANSFORMER if attention else None)
    openvino.save_model(done, str(target), compress_to_fp16=False)


def tflite(folder, target):
    """ai-edge-quantizer's recipe of static 8-bit weights and activations."""
    from ai_edge_litert import interpreter
    from ai_edge_quantizer import quantizer, recipe

    model = str(folder / "model.tflite")
    signatures = interpreter.Interpreter(model_path=model).get_signature_list()
    (name,) = signatures
    (argument,) = signatures[name]["inputs"]
    details = interpreter.Interpreter(model_path=model).get_input_details()[0]
    samples = [{argument: s.astype(details["dtype"], copy=False)} for s in sources.calibration_batches(folder)]
    tool = quantizer.Quantizer(model, recipe.static_wi8_ai8())
    tool.quantize(tool.calibrate({name: samples})).export_model(str(target), overwrite=True)


MAKERS = {"ours_int8.pte": ours, "real_int8.pte": real, "int8.onnx": onnx, "int8.xml": openvino_ir, "int8.tflite": tflite}
