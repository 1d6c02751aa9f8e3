#include "backends/native/operations/copy.h"

#include <fmt/format.h>

#include <array>
#include <cstring>

#include "backends/native/loop_nest.h"
#include "backends/native/operations/evidence.h"
#include "kernels/qs8_vector/qs8_vector.h"
#include "kernels/vector/vector.h"

namespace etalon::native {
namespace {

// Innermost dims of both sides agree: whole runs are moved.
class CopyRuns final : public Operation {
 public:
  CopyRuns(const Placement& from, const Placement& to, const LoopNest& nest, std::size_t element_bytes)
      : from_(from.at), to_(to.at), nest_(nest), element_bytes_(static_cast<std::int64_t>(element_bytes)) {}

  void run(const RunContext& context, unsigned worker, unsigned workers) const override {
    const std::byte* from = context.at<std::byte>(from_);
    std::byte* to = context.at<std::byte>(to_);
    const std::int64_t rounds = nest_.rounds(1);
    if (rounds == 1) {
      const Range part = share_of(nest_.inner_size() * element_bytes_, worker, workers, 64);
      std::memcpy(to + part.begin, from + part.begin, static_cast<std::size_t>(part.end - part.begin));
      return;
    }
    const auto bytes = static_cast<std::size_t>(nest_.inner_size() * element_bytes_);
    const Range part = share_of(rounds, worker, workers);
    nest_.for_each(1, part.begin, part.end, [&](const LoopNest::Offsets& at) {
      std::memcpy(to + at[0] * element_bytes_, from + at[1] * element_bytes_, bytes);
    });
  }

 private:
  Operand from_, to_;
  LoopNest nest_;
  std::int64_t element_bytes_;
};

using TransposeFn = decltype(kernels::VectorKernels::transpose_x32);

// Of one or four bytes per element; null for others.
TransposeFn transpose_of(std::size_t element_bytes, kernels::Isa cap) {
  if (element_bytes == 4) return kernels::vector_kernels(cap).transpose_x32;
  return element_bytes == 1 ? kernels::qs8_vector_kernels(cap).transpose_x8 : nullptr;
}

// The two innermost dims of the nest are [from's dense dim][to's dense dim].
template <class T>
class CopyTransposed final : public Operation {
 public:
  CopyTransposed(const Placement& from, const Placement& to, const LoopNest& nest, TransposeFn transpose)
      : from_(from.at), to_(to.at), nest_(nest), transpose_(transpose) {}

  void run(const RunContext& context, unsigned worker, unsigned workers) const override {
    const T* from = context.at<const T>(from_);
    T* to = context.at<T>(to_);
    const std::size_t rank = nest_.rank();
    const std::int64_t rows = nest_.size(rank - 1);     // dense in `to`, strided in `from`
    const std::int64_t columns = nest_.size(rank - 2);  // dense in `from`, strided in `to`
    const auto from_stride = static_cast<std::size_t>(nest_.stride(1, rank - 1));
    const auto to_stride = static_cast<std::size_t>(nest_.stride(0, rank - 2));
    // Without outer rounds enough for everyone, the rows are shared instead.
    const std::int64_t rounds = nest_.rounds(2);
    const bool by_rows = rounds < static_cast<std::int64_t>(workers);
    const Range round_part = by_rows ? Range{0, rounds} : share_of(rounds, worker, workers);
    const Range row_part = by_rows ? share_of(rows, worker, workers, 16) : Range{0, rows};
    if (row_part.begin == row_part.end) return;
    nest_.for_each(2, round_part.begin, round_part.end, [&](const LoopNest::Offsets& at) {
      transpose_(from + at[1] + row_part.begin * static_cast<std::int64_t>(from_stride), from_stride,
                 to + at[0] + row_part.begin, to_stride,
                 static_cast<std::size_t>(row_part.end - row_part.begin), static_cast<std::size_t>(columns));
    });
  }

 private:
  Operand from_, to_;
  LoopNest nest_;
  TransposeFn transpose_;
};

template <class T>
class CopyElements final : public Operation {
 public:
  CopyElements(const Placement& from, const Placement& to, const LoopNest& nest)
      : from_(from.at), to_(to.at), nest_(nest) {}

  void run(const RunContext& context, unsigned worker, unsigned workers) const override {
    const T* from = context.at<T>(from_);
    T* to = context.at<T>(to_);
    const std::int64_t to_stride = nest_.inner_stride(0);
    const std::int64_t from_stride = nest_.inner_stride(1);
    const Range part = share_of(nest_.rounds(1), worker, workers);
    nest_.for_each(1, part.begin, part.end, [&](const LoopNest::Offsets& at) {
      for (std::int64_t i = 0; i < nest_.inner_size(); ++i)
        to[at[0] + i * to_stride] = from[at[1] + i * from_stride];
    });
  }

 private:
  Operand from_, to_;
  LoopNest nest_;
};

// The nest with from's dense dim moved to the place before the innermost; an empty optional if there is none.
std::optional<LoopNest> transposing_nest(const Dims& dims, const Placement& from, const Placement& to) {
  std::size_t inner = dims.size();
  std::size_t dense = dims.size();
  for (std::size_t i = 0; i < dims.size(); ++i) {
    if (dims[i] == 1) continue;
    if (to.strides[i] == 1) inner = i;
    if (from.strides[i] == 1) dense = i;
  }
  if (inner == dims.size() || dense == dims.size() || inner == dense) return std::nullopt;
  Dims sizes;
  std::array<Dims, 2> strides;
  const auto push = [&](std::size_t i) {
    sizes.push_back(dims[i]);
    strides[0].push_back(to.strides[i]);
    strides[1].push_back(from.strides[i]);
  };
  for (std::size_t i = 0; i < dims.size(); ++i) {
    if (i != inner && i != dense) push(i);
  }
  push(dense);
  push(inner);
  // Neighbours that continue the innermost dim on both sides make longer rows: [H, W] of an image.
  const std::size_t last = sizes.size() - 1;
  for (std::size_t i = last - 1; i-- > 0;) {
    if (strides[0][i] != sizes[last] || strides[1][i] != strides[1][last] * sizes[last]) continue;
    sizes[last] *= sizes[i];
    sizes[i] = 1;
    i = last - 1;
  }
  return LoopNest(sizes, strides, 2);
}

std::unique_ptr<Operation> make_operation(const Placement& from, const Placement& to, const Dims& dims,
                                          std::size_t element_bytes, kernels::Isa cap) {
  const std::array<Dims, 2> strides = {to.strides, from.strides};
  const LoopNest nest(dims, strides, 0);
  const bool has_runs = nest.rank() == 0 || (nest.inner_stride(0) == 1 && nest.inner_stride(1) == 1);
  if (has_runs) return std::make_unique<CopyRuns>(from, to, nest, element_bytes);
  const TransposeFn transpose = transpose_of(element_bytes, cap);
  const auto transposing = transpose == nullptr ? std::nullopt : transposing_nest(dims, from, to);
  if (transposing && element_bytes == 4) {
    return std::make_unique<CopyTransposed<float>>(from, to, *transposing, transpose);
  }
  if (transposing) return std::make_unique<CopyTransposed<std::int8_t>>(from, to, *transposing, transpose);
  switch (element_bytes) {
    case 1:
      return std::make_unique<CopyElements<std::uint8_t>>(from, to, nest);
    case 2:
      return std::make_unique<CopyElements<std::uint16_t>>(from, to, nest);
    case 8:
      return std::make_unique<CopyElements<std::uint64_t>>(from, to, nest);
    default:
      return std::make_unique<CopyElements<std::uint32_t>>(from, to, nest);
  }
}

}  // namespace

std::unique_ptr<Operation> make_copy(const Placement& from, const Placement& to, const Dims& dims,
                                     std::size_t element_bytes, kernels::Isa cap) {
  auto operation = make_operation(from, to, dims, element_bytes, cap);
  const auto& kernels = kernels::vector_kernels(cap);
  const std::int64_t bytes = 2 * numel(dims) * static_cast<std::int64_t>(element_bytes);
  auto& evidence = operation->evidence;
  evidence.kernel = fmt::format("x{}_transposec_ukernel__{}", element_bytes * 8, kernels.suffix);
  set_isa(evidence, kernels.isa, cap);
  evidence.bytes = bytes;
  evidence.shape = to_string(dims);
  operation->is_shared = bytes > 256 * 1024;
  return operation;
}

}  // namespace etalon::native
