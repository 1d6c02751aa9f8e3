#include "backends/native/reference/element.h"
#include "backends/native/reference/nodes.h"
#include "backends/native/reference/walk.h"

namespace etalon::native::reference {
namespace {

namespace xnn = formats::xnn;

// Moves elements one by one: as they are if both sides mean the same by them, else rounded anew.
class Mover {
 public:
  Mover(const TensorRef& from, const TensorRef& to)
      : from_(from.data), to_(to.data), width_(xnn::bits_of(from.type->type) / 8), read_(from), write_(to) {
    const Quantisation& a = from.type->quantisation;
    const Quantisation& b = to.type->quantisation;
    is_same_ = from.type->type == to.type->type &&
               (!is_static_int8(from.type->type) || (a.scale == b.scale && a.zero_point == b.zero_point));
  }

  void operator()(std::int64_t from, std::int64_t to) const {
    if (!is_same_) return write_(to, read_(from));
    const auto width = static_cast<std::int64_t>(width_);
    std::memcpy(to_ + to * width, from_ + from * width, width_);
  }

 private:
  const std::byte* from_;
  std::byte* to_;
  std::size_t width_;
  Reader read_;
  Writer write_;
  bool is_same_ = false;
};

}  // namespace

void run_same_order(const TensorRef& input, const TensorRef& output) {
  const Mover move(input, output);
  const std::int64_t count = numel(input.type->dims);
  for (std::int64_t i = 0; i < count; ++i) move(i, i);
}

void run_transpose(const xnn::Node& node, const TensorRef& input, const TensorRef& output) {
  const auto& perm = std::get<xnn::Transpose>(node.params).perm;
  const Dims from = contiguous_strides(input.type->dims);
  Dims strides(perm.size(), 0);
  for (std::size_t i = 0; i < perm.size(); ++i) strides[i] = from[perm[i]];
  const Mover move(input, output);
  std::int64_t to = 0;
  walk<1>(output.type->dims, {strides}, [&](const auto& at) { move(at[0], to++); });
}

void run_slice(const xnn::Node& node, const TensorRef& input, const TensorRef& output) {
  const auto& offsets = std::get<xnn::Slice>(node.params).offsets;
  const Dims strides = contiguous_strides(input.type->dims);
  std::int64_t first = 0;
  for (std::size_t i = 0; i < offsets.size(); ++i) first += offsets[i] * strides[i];
  const Mover move(input, output);
  std::int64_t to = 0;
  walk<1>(output.type->dims, {strides}, [&](const auto& at) { move(first + at[0], to++); });
}

void run_pad(const xnn::Node& node, const TensorRef& input, const TensorRef& output) {
  const auto& p = std::get<xnn::Pad>(node.params);
  const Writer write(output);
  const std::int64_t count = numel(output.type->dims);
  for (std::int64_t i = 0; i < count; ++i) write(i, p.value);
  const Dims strides = contiguous_strides(output.type->dims);
  std::int64_t first = 0;
  for (std::size_t i = 0; i < p.before.size(); ++i) first += p.before[i] * strides[i];
  const Mover move(input, output);
  std::int64_t from = 0;
  walk<1>(input.type->dims, {strides}, [&](const auto& at) { move(from++, first + at[0]); });
}

void run_concatenate(const xnn::Node& node, Inputs inputs, const TensorRef& output) {
  const std::size_t axis = std::get<xnn::Concatenate>(node.params).axis;
  const Dims strides = contiguous_strides(output.type->dims);
  std::int64_t first = 0;
  for (const TensorRef& input : inputs) {
    const Mover move(input, output);
    std::int64_t from = 0;
    walk<1>(input.type->dims, {strides}, [&](const auto& at) { move(from++, first + at[0]); });
    first += input.type->dims[axis] * strides[axis];
  }
}

}  // namespace etalon::native::reference
