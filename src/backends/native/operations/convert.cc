// Between fp16 arguments of the delegate call and the float32 values inside.
#include <fmt/format.h>

#include "backends/native/loop_nest.h"
#include "backends/native/operations/evidence.h"
#include "backends/native/plan_builder.h"

namespace etalon::native {
namespace {

constexpr std::int64_t kSharedElements = 64 * 1024;  // below this an extra thread costs more than it saves
constexpr std::int64_t kGrain = 64;                  // elements: no two workers write to one cache line

class ConvertOperation final : public Operation {
 public:
  ConvertOperation(Operand x, Operand out, std::int64_t count, bool narrows,
                   const kernels::VectorKernels& kernels)
      : x_(x), out_(out), count_(count), narrows_(narrows), kernels_(kernels) {}

  void run(const RunContext& context, unsigned worker, unsigned workers) const override {
    const Range part = share_of(count_, worker, workers, kGrain);
    const auto count = static_cast<std::size_t>(part.end - part.begin);
    if (narrows_) {
      std::uint16_t* const out = context.at<std::uint16_t>(out_);
      kernels_.float_to_half(context.at(x_) + part.begin, out + part.begin, count);
    } else {
      const std::uint16_t* const x = context.at<std::uint16_t>(x_);
      kernels_.half_to_float(x + part.begin, context.at(out_) + part.begin, count);
    }
  }

 private:
  Operand x_, out_;
  std::int64_t count_;
  bool narrows_;
  const kernels::VectorKernels& kernels_;
};

}  // namespace

Status lower(PlanBuilder& builder, const Node& node, const Convert&) {
  const auto& kernels = kernels::vector_kernels(builder.settings().cap);
  const Dims& dims = builder.dims(node.output());
  const bool narrows = builder.value(node.output()).type == xnn::DataType::kFp16;
  const Placement in = builder.contiguous_input(node.inputs[0]);
  const Placement out = builder.output(node.output());
  ETALON_CHECK(is_contiguous(dims, out.strides));
  auto operation = std::make_unique<ConvertOperation>(in.at, out.at, numel(dims), narrows, kernels);
  auto& evidence = operation->evidence;
  set_isa(evidence, kernels.isa, builder.settings());
  evidence.kernel = fmt::format("{}_vcvt_ukernel__{}", narrows ? "f32_f16" : "f16_f32", kernels.suffix);
  evidence.bytes = 6 * numel(dims);
  evidence.shape = to_string(dims);
  operation->is_shared = numel(dims) >= kSharedElements;
  builder.add(std::move(operation), node);
  return {};
}

}  // namespace etalon::native
