#include "ops/elementwise.h"

#include <algorithm>
#include <optional>

namespace etalon::ops {
namespace {

// Five buffers of this many 8-byte elements stay within a first-level cache.
constexpr std::int64_t kBlock = 512;
constexpr std::size_t kBufferBytes = static_cast<std::size_t>(kBlock) * 8;
// Rows at least this long are worth cutting blocks at their ends, so that they are read in place.
constexpr std::int64_t kLongRow = 128;

struct alignas(64) Buffer {
  std::array<std::byte, kBufferBytes> bytes;
};

// Hands out an input's elements in the order of the output's memory, as dense arrays of one type.
class Reader {
 public:
  Reader(const TypedOperand& input, const TensorView& out, Buffer& block, Buffer& raw)
      : read_as_(input.read_as), block_(block.bytes.data()), raw_(raw.bytes.data()) {
    if (const TensorView* tensor = input.operand.tensor()) {
      start(StridedView(*tensor), out);
    } else if (const StridedView* view = input.operand.strided()) {
      start(*view, out);
    } else {
      constant_ = true;
      const Scalar& number = input.operand.number();
      const auto status = visit_computed(read_as_, [&](auto tag) -> Status {
        using T = typename decltype(tag)::type;
        std::fill_n(reinterpret_cast<T*>(block_), kBlock, number.as<T>());
        return {};
      });
      ETALON_CHECK(status.ok());
    }
  }

  // Elements up to the next place where this input would like a block to end.
  std::int64_t preferred() const {
    if (constant_) return kBlock;
    if (in_place_ && nest_->rank == 1 && nest_->step(1) == 1) return std::numeric_limits<std::int64_t>::max();
    if (nest_->run() < kLongRow) return kBlock;
    const std::int64_t left = nest_->run() - column_;
    return nest_->step(1) == 1 && in_place_ ? left : std::min(left, kBlock);
  }

  const void* next(std::int64_t count) {
    if (constant_) return block_;
    const std::byte* start = data_ + (offset_ + column_ * nest_->step(1)) * element_size_;
    const bool dense = nest_->step(1) == 1 && column_ + count <= nest_->run();
    if (dense && in_place_) {
      advance(count);
      return start;
    }
    if (dense) {
      convert_run(dtype_, start, read_as_, block_, count);
      advance(count);
      return block_;
    }
    std::byte* gathered = in_place_ ? block_ : raw_;
    gather(gathered, count);
    if (!in_place_) convert_run(dtype_, raw_, read_as_, block_, count);
    return block_;
  }

 private:
  void start(const StridedView& input, const TensorView& out) {
    const StridedView view = input.broadcast_to(out.sizes());
    nest_.emplace(out.sizes(), std::array<Dims, 2>{out.strides(), view.strides});
    dtype_ = view.dtype;
    data_ = view.data;
    element_size_ = static_cast<std::int64_t>(size_of(dtype_));
    in_place_ = dtype_ == read_as_;
    if (nest_->rank == 1 && nest_->step(1) == 0) {
      gather_run(data_, 0, size_of(dtype_), in_place_ ? block_ : raw_, kBlock);
      if (!in_place_) convert_run(dtype_, raw_, read_as_, block_, kBlock);
      constant_ = true;
    }
  }

  void gather(std::byte* to, std::int64_t count) {
    while (count > 0) {
      const std::int64_t n = std::min(count, nest_->run() - column_);
      const std::byte* start = data_ + (offset_ + column_ * nest_->step(1)) * element_size_;
      gather_run(start, nest_->step(1), static_cast<std::size_t>(element_size_), to, n);
      to += n * element_size_;
      count -= n;
      advance(n);
    }
  }

  // Within the current row, to its end at most.
  void advance(std::int64_t count) {
    column_ += count;
    if (column_ < nest_->run()) return;
    column_ = 0;
    const auto& steps = nest_->strides[1];
    for (std::size_t dim = nest_->rank - 1; dim-- > 0;) {
      offset_ += steps[dim];
      if (++index_[dim] < nest_->sizes[dim]) return;
      offset_ -= steps[dim] * nest_->sizes[dim];
      index_[dim] = 0;
    }
  }

  DType read_as_;
  DType dtype_ = DType::kFloat32;
  bool constant_ = false;  // the block buffer holds the one value already
  bool in_place_ = false;  // no conversion
  std::byte* block_;
  std::byte* raw_;
  const std::byte* data_ = nullptr;
  std::int64_t element_size_ = 0;
  std::optional<LoopNest<2>> nest_;  // of the output and this input
  std::int64_t offset_ = 0;
  std::int64_t column_ = 0;
  std::array<std::int64_t, kMaxRank> index_{};
};

}  // namespace

void run_blocks(std::span<const TypedOperand> inputs, const TensorView& out, DType computed, BlockFn block,
                const void* op) {
  ETALON_CHECK(inputs.size() <= kMaxOperands);
  if (out.numel() == 0) return;
  std::array<Buffer, kMaxOperands> buffers;
  Buffer raw;
  Buffer result;
  std::array<std::optional<Reader>, kMaxOperands> readers;
  for (std::size_t k = 0; k < inputs.size(); ++k) readers[k].emplace(inputs[k], out, buffers[k], raw);

  const bool direct = out.dtype() == computed;
  auto* to = out.data_as<std::byte>();
  std::array<const void*, kMaxOperands> blocks{};
  for (std::int64_t done = 0, count = 0; done < out.numel(); done += count) {
    count = direct ? out.numel() - done : std::min(kBlock, out.numel() - done);
    for (std::size_t k = 0; k < inputs.size(); ++k) count = std::min(count, readers[k]->preferred());
    for (std::size_t k = 0; k < inputs.size(); ++k) blocks[k] = readers[k]->next(count);
    block(op, blocks.data(), direct ? to : result.bytes.data(), count);
    if (!direct) convert_run(computed, result.bytes.data(), out.dtype(), to, count);
    to += static_cast<std::size_t>(count) * size_of(out.dtype());
  }
}

}  // namespace etalon::ops
