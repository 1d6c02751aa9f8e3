// The C++ API in a few calls: load a program, run it on tensors.
//
//   ETALON_TRY(auto module, Module::load("model.pte"));
//   ETALON_TRY(auto image, Tensor::from_floats({1, 3, 224, 224}, pixels));
//   ETALON_TRY(auto outputs, module.forward(image));
//   for (float score : outputs[0].elements<float>()) ...
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/method.h"
#include "runtime/program.h"
#include "runtime/tensor.h"

namespace etalon::runtime {

struct ModuleOptions {
  std::string external_data;  // a .ptd file for programs that keep their weights outside
  MethodOptions method;
};

// Owns the program and the methods used so far. Move-only; one thread at a time.
class Module {
 public:
  static Result<Module> load(const std::string& path, const ModuleOptions& options = {});

  // Runs "forward", or the program's only method under another name. One tensor per tensor input, in order; inputs that
  // are numbers keep the values stored in the program. Gives one tensor per tensor output, copied out in row-major order.
  Result<std::vector<Tensor>> forward(std::span<const Tensor> inputs) { return run({}, inputs); }
  Result<std::vector<Tensor>> forward(const Tensor& input) { return run({}, {&input, 1}); }

  // The same for the method with this name.
  Result<std::vector<Tensor>> run(std::string_view method, std::span<const Tensor> inputs);

  // The method, loaded on first use. An empty name: "forward", else the first one. For callers that set inputs and read
  // outputs without copies.
  Result<Method*> method(std::string_view name = {});

  const Program& program() const { return *program_; }

 private:
  Module(Program program, const ModuleOptions& options)
      : program_(std::make_unique<Program>(std::move(program))), options_(options) {}

  std::unique_ptr<Program> program_;
  ModuleOptions options_;
  std::map<std::string, Method, std::less<>> methods_;
};

}  // namespace etalon::runtime
