#include "runtime/module.h"

#include <fmt/core.h>

namespace etalon::runtime {
namespace {

using Tag = ops::Value::Tag;

Status set_inputs(Method& method, std::span<const Tensor> inputs) {
  std::size_t given = 0;
  for (std::size_t i = 0; i < method.input_count(); ++i) {
    if (!method.input(i).is(Tag::kTensor)) continue;
    if (given == inputs.size()) return invalid_input(fmt::format("{} inputs given, more are wanted", given));
    TensorView view = inputs[given++].view();
    ETALON_CHECKED(method.set_input(i, ops::Value::of_tensor(&view)));
  }
  if (given == inputs.size()) return {};
  return invalid_input(fmt::format("{} inputs given, the method takes {}", inputs.size(), given));
}

Result<std::vector<Tensor>> copy_outputs(const Method& method) {
  std::vector<Tensor> outputs;
  for (std::size_t i = 0; i < method.output_count(); ++i) {
    if (!method.output(i).is(Tag::kTensor)) continue;
    ETALON_TRY(Tensor copy, Tensor::copy_of(*method.output(i).as_tensor()));
    outputs.push_back(std::move(copy));
  }
  return outputs;
}

}  // namespace

Result<Module> Module::load(const std::string& path, const ModuleOptions& options) {
  ETALON_TRY(Program program, Program::load({path, options.external_data}));
  return Module(std::move(program), options);
}

Result<Method*> Module::method(std::string_view name) {
  const auto& contents = program_->contents();
  std::string_view wanted = name;
  if (wanted.empty()) wanted = contents.plans.front().name;
  if (name.empty() && contents.find_plan("forward") != nullptr) wanted = "forward";
  auto found = methods_.find(wanted);
  if (found == methods_.end()) {
    ETALON_TRY(Method loaded, Method::load(*program_, wanted, options_.method));
    found = methods_.emplace(std::string(wanted), std::move(loaded)).first;
  }
  return &found->second;
}

Result<std::vector<Tensor>> Module::run(std::string_view name, std::span<const Tensor> inputs) {
  ETALON_TRY(Method* const method, this->method(name));
  ETALON_CHECKED(set_inputs(*method, inputs));
  ETALON_CHECKED(method->execute());
  return copy_outputs(*method);
}

}  // namespace etalon::runtime
