// Operators that cut a tensor into a list along one dim: split, split_with_sizes, unbind.
#include <fmt/core.h>

#include "ops/infer.h"
#include "ops/view_op.h"

namespace etalon::ops {
namespace {

// A program can ask for more parts than its tensor has elements when another dim is empty.
constexpr std::int64_t kMaxParts = 1 << 16;

Result<std::size_t> dim_to_cut(const Call& call, std::size_t arg) {
  if (call.tensor(0).rank() == 0) return invalid_input("cannot cut a tensor without dims");
  return dim_of(call.integer(arg), call.tensor(0).rank());
}

Status set_part(const Call& call, OutShapes& outs, std::size_t part, std::size_t dim, std::int64_t length) {
  Dims sizes = call.tensor(0).sizes();
  sizes[dim] = length;
  return outs.set_item(0, part, call.tensor(0).dtype(), sizes);
}

// The parts follow one another along `dim`, each as long as its output.
Status copy_parts(const Call& call, std::size_t dim) {
  const StridedView whole(call.tensor(0));
  std::int64_t start = 0;
  for (TensorView* part : call.out_list()) {
    copy_cast(whole.narrowed(dim, start, part->size(dim)), StridedView(*part));
    start += part->size(dim);
  }
  return {};
}

Status infer_split(const Call& call, OutShapes& outs) {
  ETALON_TRY(const std::size_t dim, dim_to_cut(call, 2));
  const std::int64_t size = call.tensor(0).size(dim);
  const std::int64_t length = call.integer(1);
  if (length < 0 || (length == 0 && size != 0)) return invalid_input(fmt::format("split of size {} into parts of {}", size, length));
  const std::int64_t parts = size == 0 ? 1 : size / length + (size % length != 0 ? 1 : 0);
  if (parts > kMaxParts) return resource_error(fmt::format("split into {} parts, the limit is {}", parts, kMaxParts));
  ETALON_CHECKED(outs.set_list(0, static_cast<std::size_t>(parts)));
  for (std::int64_t i = 0; i < parts; ++i) {
    ETALON_CHECKED(set_part(call, outs, static_cast<std::size_t>(i), dim, std::min(length, size - i * length)));
  }
  return {};
}

Status split_kernel(const Call& call) {
  ETALON_TRY(const std::size_t dim, dim_to_cut(call, 2));
  return copy_parts(call, dim);
}

Status infer_split_with_sizes(const Call& call, OutShapes& outs) {
  ETALON_TRY(const std::size_t dim, dim_to_cut(call, 2));
  const auto lengths = call.ints(1);
  std::int64_t left = call.tensor(0).size(dim);
  ETALON_CHECKED(outs.set_list(0, lengths.size()));
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    if (lengths[i] < 0 || lengths[i] > left) {
      return invalid_input(fmt::format("split_with_sizes: part {} has size {}, {} are left of dim {}", i, lengths[i], left, dim));
    }
    left -= lengths[i];
    ETALON_CHECKED(set_part(call, outs, i, dim, lengths[i]));
  }
  if (left != 0) return invalid_input(fmt::format("split_with_sizes leaves {} of dim {} over", left, dim));
  return {};
}

Status infer_unbind(const Call& call, OutShapes& outs) {
  ETALON_TRY(const std::size_t dim, dim_to_cut(call, 1));
  Dims sizes = call.tensor(0).sizes();
  const std::int64_t parts = sizes[dim];
  if (parts > kMaxParts) return resource_error(fmt::format("unbind into {} parts, the limit is {}", parts, kMaxParts));
  sizes.erase(dim);
  ETALON_CHECKED(outs.set_list(0, static_cast<std::size_t>(parts)));
  for (std::int64_t i = 0; i < parts; ++i) {
    ETALON_CHECKED(outs.set_item(0, static_cast<std::size_t>(i), call.tensor(0).dtype(), sizes));
  }
  return {};
}

Status unbind_kernel(const Call& call) {
  ETALON_TRY(const std::size_t dim, dim_to_cut(call, 1));
  const StridedView whole(call.tensor(0));
  std::int64_t index = 0;
  for (TensorView* part : call.out_list()) copy_cast(whole.selected(dim, index++), StridedView(*part));
  return {};
}

constexpr OpDef kRows[] = {
    {.schema = "aten::split_copy.Tensor(Tensor self, SymInt split_size, int dim=0) -> Tensor[]",
     .out_name = "aten::split_copy.Tensor_out",
     .infer = infer_split,
     .kernel = split_kernel,
     .aliases = "aten::split.Tensor aten::unsafe_split.Tensor"},
    {.schema = "aten::split_with_sizes_copy(Tensor self, SymInt[] split_sizes, int dim=0) -> Tensor[]",
     .out_name = "aten::split_with_sizes_copy.out",
     .infer = infer_split_with_sizes,
     .kernel = split_kernel,
     .aliases = "aten::split_with_sizes aten::unsafe_split_with_sizes aten::split.sizes"},
    {.schema = "aten::unbind_copy.int(Tensor self, int dim=0) -> Tensor[]",
     .out_name = "aten::unbind_copy.int_out",
     .infer = infer_unbind,
     .kernel = unbind_kernel,
     .aliases = "aten::unbind.int"},
};

}  // namespace

extern constinit const OpFamily kSplitOps{kRows};

}  // namespace etalon::ops
