// Sums and means over neighbouring dims: global average pooling above all.
#include "backends/native/operators/layout_facts.h"
#include "ops/reduction.h"

namespace etalon::native {
namespace {

using kernels::Isa;
using ops::Call;

// The input as [outer][reduced][inner] in memory.
struct Block {
  std::int64_t outer = 1, reduced = 1, inner = 1;
};

// Walks the dims in memory order. Null if the reduced dims are not neighbours, or the output lies otherwise.
const char* find_block(const TensorView& x, const TensorView& out, ops::DimMask mask, Block& block) {
  enum { kOuter, kReduced, kInner } part = kOuter;
  for (const std::uint8_t d : x.order()) {
    const std::int64_t size = x.size(d);
    if (size == 1) continue;
    if ((mask >> d & 1u) != 0) {
      if (part == kInner) return "wants the reduced dims side by side in memory";
      part = kReduced;
      block.reduced *= size;
    } else {
      if (part == kReduced) part = kInner;
      (part == kInner ? block.inner : block.outer) *= size;
    }
  }
  // With the reduced dims gone or of size 1, the output follows the input's order when both are row-major, or when at
  // most one dim before and one behind the reduced ones is left, as of channels-last images.
  const bool row_major = x.is_contiguous() && out.is_contiguous();
  const bool image = is_channels_last_order(x.order()) && (out.is_contiguous() || out.order() == x.order()) &&
                     x.rank() == 4 && mask == 0b1100u;
  return row_major || image ? nullptr : kOtherLayout;
}

template <bool kMean>
struct Reduction : NoScratch {
  static const char* refusal(const Call& call) {
    Block block;
    return describe(call, block);
  }
  static Status run(const Call& call, Isa cap) {
    const kernels::VectorKernels& k = kernels::vector_kernels(cap);
    Block block;
    describe(call, block);
    const float scale = kMean ? 1.0f / static_cast<float>(block.reduced) : 1.0f;
    const auto rows = static_cast<std::size_t>(block.reduced);
    const auto columns = static_cast<std::size_t>(block.inner);
    const float* x = call.tensor(0).data_as<const float>();
    float* out = call.out().data_as<float>();
    for (std::int64_t i = 0; i < block.outer; ++i, x += rows * columns, out += columns) {
      if (columns == 1) {
        *out = k.sum_row(x, rows) * scale;
      } else {
        k.sum_columns(x, rows, columns, columns, scale, -__builtin_inff(), __builtin_inff(), out);
      }
    }
    return {};
  }
  static KernelLabel label(const Call& call, Isa cap) {
    Block block;
    describe(call, block);
    return vector_label(block.inner == 1 ? "rsum" : "rdsum", cap);
  }

 private:
  static const char* describe(const Call& call, Block& block) {
    const TensorView& x = call.tensor(0);
    if (!is_float(x) || !is_float(call.out())) return kNotFloat;
    if (x.numel() == 0) return "wants elements";
    const auto mask = ops::dims_to_reduce(call, 1, x.rank());
    return mask.ok() ? find_block(x, call.out(), *mask, block) : "wants dims in range";
  }
};
struct Mean : Reduction<true> {
  static constexpr std::string_view kOutName = "aten::mean.out";
};
struct Sum : Reduction<false> {
  static constexpr std::string_view kOutName = "aten::sum.IntList_out";
};

constexpr NativeOperator kRows[] = {native_operator<Mean>(), native_operator<Sum>()};

}  // namespace

extern constinit const NativeFamily kReductionOperators{kRows};

}  // namespace etalon::native
