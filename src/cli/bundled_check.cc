#include "cli/bundled_check.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "ops/strided.h"
#include "runtime/tensor.h"

namespace etalon::cli {

namespace bpte = formats::bpte;
using runtime::Tensor;

namespace {

Result<Tensor> tensor_of(const bpte::Tensor& source) {
  const auto dtype = dtype_from_number(source.dtype);
  if (!dtype) return unsupported(fmt::format("a bundled tensor of dtype number {}", source.dtype));
  const std::vector<std::int64_t> wide(source.sizes.begin(), source.sizes.end());
  ETALON_TRY(const Dims sizes, make_dims(wide));
  const DimOrder order{std::span<const std::uint8_t>(source.dim_order)};
  if (order.size() != sizes.size() || !is_permutation(order)) return invalid_input("a bundled tensor has a wrong dim order");
  ETALON_TRY(Tensor tensor, Tensor::zeros(*dtype, sizes, order));
  if (source.data.size() != tensor.view().nbytes()) return invalid_input("a bundled tensor has a wrong size");
  if (!source.data.empty()) std::memcpy(tensor.view().data(), source.data.data(), source.data.size());
  return tensor;
}

Result<Tensor> as_doubles(const TensorView& view) {
  ETALON_TRY(Tensor out, Tensor::zeros(DType::kFloat64, view.sizes()));
  ops::copy_cast(view, out.view());
  return out;
}

bool is_close(double a, double b, double rtol, double atol) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
  if (std::isinf(a) || std::isinf(b)) return a == b;
  return std::abs(a - b) <= atol + std::abs(rtol * b);
}

class ErrorSums {
 public:
  void add(double a, double b) {
    const double error = std::isnan(a) && std::isnan(b) ? 0.0 : std::abs(a - b);
    const double relative = b == 0.0 ? 0.0 : error / std::abs(b);
    absolute_ += error;
    relative_ += relative;
    max_absolute_ = std::max(max_absolute_, error);
    max_relative_ = std::max(max_relative_, relative);
    ++count_;
  }
  void store(BundledResult& result) const {
    const double count = std::max(1.0, static_cast<double>(count_));
    result.mean_absolute_error = absolute_ / count;
    result.mean_relative_error = relative_ / count;
    result.max_absolute_error = max_absolute_;
    result.max_relative_error = max_relative_;
  }

 private:
  double absolute_ = 0, relative_ = 0, max_absolute_ = 0, max_relative_ = 0;
  std::size_t count_ = 0;
};

struct Tolerances {
  double rtol;
  double atol;
};

Status compare_output(const ops::Value& output, const bpte::Tensor& wanted, const Tolerances& tolerances, ErrorSums& sums,
                      bool& matches) {
  if (!output.is(ops::Value::Tag::kTensor)) return invalid_input("it is not a tensor, the bundle expects one");
  const TensorView& view = *output.as_tensor();
  ETALON_TRY(const Tensor expected, tensor_of(wanted));
  if (view.dtype() != expected.dtype() || view.sizes() != expected.sizes()) {
    return invalid_input(fmt::format("it is {} {}, the bundle expects {} {}", name_of(view.dtype()),
                                     to_string(view.sizes()), name_of(expected.dtype()), to_string(expected.sizes())));
  }
  const bool floating = is_floating(view.dtype());
  ETALON_TRY(const Tensor plain, Tensor::copy_of(view));
  ETALON_TRY(const Tensor plain_expected, Tensor::copy_of(expected.view()));
  if (!floating) matches = matches && std::ranges::equal(plain.bytes(), plain_expected.bytes());
  ETALON_TRY(const Tensor a, as_doubles(plain.view()));
  ETALON_TRY(const Tensor b, as_doubles(plain_expected.view()));
  const auto found = a.elements<double>();
  const auto target = b.elements<double>();
  for (std::size_t i = 0; i < found.size(); ++i) {
    sums.add(found[i], target[i]);
    if (floating) matches = matches && is_close(found[i], target[i], tolerances.rtol, tolerances.atol);
  }
  return {};
}

}  // namespace

const bpte::TestCase* first_test_case(const bpte::BundledProgram& bundle, std::string_view method) {
  for (const auto& suite : bundle.suites) {
    if (suite.method == method && !suite.cases.empty()) return &suite.cases.front();
  }
  return nullptr;
}

Status set_bundled_inputs(Runnable& method, const bpte::TestCase& test) {
  if (test.inputs.size() != method.input_count()) {
    return invalid_input(fmt::format("the bundle has {} inputs, the method takes {}", test.inputs.size(), method.input_count()));
  }
  for (std::size_t i = 0; i < test.inputs.size(); ++i) {
    ops::Value value;
    if (const auto* source = std::get_if<bpte::Tensor>(&test.inputs[i])) {
      ETALON_TRY(Tensor tensor, tensor_of(*source), fmt::format("input {}", i));
      ETALON_CHECKED(method.set_input(i, ops::Value::of_tensor(&tensor.view())));
      continue;
    }
    if (const auto* number = std::get_if<std::int64_t>(&test.inputs[i])) value = ops::Value::of_int(*number);
    if (const auto* flag = std::get_if<bool>(&test.inputs[i])) value = ops::Value::of_bool(*flag);
    if (const auto* real = std::get_if<double>(&test.inputs[i])) value = ops::Value::of_double(*real);
    ETALON_CHECKED(method.set_input(i, value));
  }
  return {};
}

Result<BundledResult> compare_with_bundle(const Runnable& method, const bpte::TestCase& test, double rtol,
                                          double atol) {
  if (test.expected_outputs.size() > method.output_count()) {
    return invalid_input(fmt::format("the bundle expects {} outputs, the method has {}", test.expected_outputs.size(),
                                     method.output_count()));
  }
  BundledResult result;
  ErrorSums sums;
  for (std::size_t i = 0; i < test.expected_outputs.size(); ++i) {
    const auto* wanted = std::get_if<bpte::Tensor>(&test.expected_outputs[i]);
    if (wanted == nullptr) continue;
    ETALON_CHECKED(compare_output(method.output(i), *wanted, {rtol, atol}, sums, result.matches), fmt::format("output {}", i));
  }
  sums.store(result);
  return result;
}

}  // namespace etalon::cli
