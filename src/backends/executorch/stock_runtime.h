// ExecuTorch's own runtime, with XNNPACK and its optimized and quantized kernels, behind our types.
//
// The libraries come from the SDK inside the `executorch` pip package (cmake/executorch_sdk.cmake); this folder is the
// only one that sees their headers. The stock runtime may end the process when a program is damaged, which is why it
// lives in a program of its own. One thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "runtime/tensor.h"

namespace etalon::stock {

// "1.5.1+cpu"
std::string version();
// The commit it was built from; empty if the package does not say.
std::string revision();

// Gives the thread pool `wanted` threads; below 1 keeps ExecuTorch's own choice, the performant cores. Returns how many
// compute.
std::size_t set_threads(int wanted);

struct Options {
  bool record = false;     // keep an ETDump
  bool operators = true;   // of every operator; false: of whole executions
};

class Method;

// A loaded .pte with its external weights (.ptd). The bytes must outlive it.
class Program {
 public:
  // Errors: kInvalidInput, with ExecuTorch's status.
  static Result<Program> open(Bytes program, Bytes data);
  Program(Program&&) noexcept;
  Program& operator=(Program&&) noexcept;
  ~Program();

  std::vector<std::string> method_names() const;
  std::optional<std::size_t> external_keys() const;  // nothing without a .ptd

 private:
  friend class Method;
  struct State;
  explicit Program(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

class Method {
 public:
  // `program` must outlive the method. Errors: kUnsupported (operators or backends that are not in this build),
  // kInvalidInput, kResource.
  static Result<Method> load(const Program& program, const std::string& name, const Options& options);
  Method(Method&&) noexcept;
  Method& operator=(Method&&) noexcept;
  ~Method();

  std::size_t input_count() const;
  std::size_t output_count() const;
  std::vector<std::int64_t> planned_buffer_sizes() const;
  // dtype, largest sizes and dim order, without data; nothing for an input that is not a tensor.
  Result<std::optional<TensorView>> input(std::size_t i) const;
  // The tensor must have the dim order that input() tells and must stay as it is until execute() has returned.
  Status set_input(std::size_t i, const TensorView& tensor);
  // Errors: kRunFailed.
  Status execute();
  // A view into the method's memory, valid until the next set_input() or execute(); nothing for other values.
  Result<std::optional<TensorView>> output(std::size_t i) const;

  // Recording begins paused: loading is kept, executions only while it is on.
  void record(bool on);
  // The ETDump of what was recorded so far, after which nothing more is recorded. Errors: kIo.
  Status write_events(const std::string& path);

 private:
  struct State;
  explicit Method(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace etalon::stock
