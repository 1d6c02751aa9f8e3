#include "cli/model_outputs.h"

#include <fmt/core.h>

#include "cli/engine_choice.h"
#include "cli/tensor_files.h"
#include "frontend/pt2/drawn_weights.h"
#include "ops/strided.h"
#include "runtime/module.h"

namespace etalon::cli {
namespace {

using Tag = ops::Value::Tag;
using runtime::Tensor;

// The words depend on the position alone, so that an fp16 model sees what the fp32 one sees, rounded.
Result<Tensor> drawn(const InputSpec& spec, std::size_t position) {
  if (!is_floating(spec.dtype)) return ones(spec);
  ETALON_TRY(Tensor wide, Tensor::zeros(DType::kFloat32, spec.bound));
  frontend::DrawnWords words(fmt::format("input_{}", position));
  for (float& value : wide.elements<float>()) value = words.next_uniform();
  if (spec.dtype == DType::kFloat32) return wide;
  ETALON_TRY(Tensor narrow, Tensor::zeros(spec.dtype, spec.bound));
  ops::copy_cast(wide.view(), narrow.view());
  return narrow;
}

Status set_inputs(runtime::Method& method, const std::vector<std::string>& files) {
  std::size_t position = 0;
  for (std::size_t i = 0; i < method.input_count(); ++i) {
    if (!method.input(i).is(Tag::kTensor)) continue;
    if (!files.empty() && position >= files.size()) {
      return invalid_input(fmt::format("{} inputs given, the method takes more", files.size()));
    }
    const InputSpec spec = input_spec(method, i);
    auto tensor = files.empty() ? drawn(spec, position) : read_tensor(files[position], spec);
    if (!tensor.ok()) return tensor.take_error().with_context(fmt::format("input {}", i));
    ETALON_CHECKED(method.set_input(i, ops::Value::of_tensor(&tensor->view())));
    ++position;
  }
  return {};
}

template <class Sizes>
std::vector<std::size_t> sizes_of(const Sizes& sizes) {
  std::vector<std::size_t> out;
  for (const auto size : sizes) out.push_back(static_cast<std::size_t>(size));
  return out;
}

Result<std::vector<float>> floats_of(const TensorView& view) {
  ETALON_TRY(Tensor wide, Tensor::zeros(DType::kFloat32, view.sizes()));
  ops::copy_cast(view, wide.view());
  const auto values = wide.elements<float>();
  return std::vector<float>(values.begin(), values.end());
}

}  // namespace

Result<ModelRun> run_model_once(const OutputsRequest& request) {
  runtime::ModuleOptions options;
  RunReport report;
  ETALON_TRY(const Engine engine,
             Engine::choose({.engine = request.engine, .isa = request.isa, .threads = request.threads, .math = request.math},
                            options.method, report));
  ETALON_TRY(runtime::Module module, runtime::Module::load(request.model, options), request.model);
  ETALON_TRY(runtime::Method * method, module.method());
  ETALON_CHECKED(set_inputs(*method, request.inputs));
  ETALON_CHECKED(method->execute());
  ModelRun run;
  for (std::size_t i = 0; i < method->input_count(); ++i) {
    if (method->input(i).is(Tag::kTensor)) run.inputs.push_back(sizes_of(input_spec(*method, i).bound));
  }
  for (std::size_t i = 0; i < method->output_count(); ++i) {
    if (!method->output(i).is(Tag::kTensor)) continue;
    const TensorView& view = *method->output(i).as_tensor();
    ETALON_TRY(std::vector<float> values, floats_of(view));
    run.outputs.push_back({sizes_of(view.sizes()), std::move(values)});
  }
  return run;
}

Result<std::vector<std::vector<float>>> model_outputs(const OutputsRequest& request) {
  ETALON_TRY(ModelRun run, run_model_once(request));
  std::vector<std::vector<float>> outputs;
  for (ModelOutput& output : run.outputs) outputs.push_back(std::move(output.values));
  return outputs;
}

}  // namespace etalon::cli
