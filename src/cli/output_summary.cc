#include "cli/output_summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "ops/strided.h"
#include "runtime/tensor.h"

namespace etalon::cli {

Result<OutputSummary> summarize_output(std::size_t index, const TensorView& view) {
  OutputSummary out;
  out.index = index;
  out.dtype = std::string(name_of(view.dtype()));
  out.sizes.assign(view.sizes().begin(), view.sizes().end());
  if (view.numel() == 0) return out;
  ETALON_TRY(auto doubles, runtime::Tensor::zeros(DType::kFloat64, view.sizes()));
  ops::copy_cast(view, doubles.view());
  const auto elements = doubles.elements<double>();
  out.min = out.max = elements[0];
  for (const double x : elements) {
    out.min = std::min(out.min, x);
    out.max = std::max(out.max, x);
    out.mean += x;
    if (!std::isfinite(x)) ++out.not_finite;
  }
  out.mean /= static_cast<double>(elements.size());
  return out;
}

std::string describe(const OutputSummary& output) {
  std::string text = fmt::format("output {}: {} [{}]", output.index, output.dtype, fmt::join(output.sizes, ", "));
  if (std::find(output.sizes.begin(), output.sizes.end(), 0) != output.sizes.end()) return text + "  ";
  text += fmt::format("  min {:.6g}  mean {:.6g}  max {:.6g}", output.min, output.mean, output.max);
  if (output.not_finite > 0) text += fmt::format("  ({} not finite)", output.not_finite);
  return text;
}

}  // namespace etalon::cli
