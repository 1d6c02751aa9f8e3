#include "runtime/value_table.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>
#include <variant>

#include "base/checked.h"

namespace etalon::runtime {

namespace pte = formats::pte;

// Two passes: the first makes the values and decides where each tensor's bytes go, the second binds them.
class ValueTableBuilder {
 public:
  ValueTableBuilder(const Program& program, const pte::ExecutionPlan& plan, std::uint64_t memory_limit)
      : program_(program), plan_(plan), memory_limit_(memory_limit) {}

  Result<ValueTable> run() {
    ETALON_CHECKED(check_devices());
    ETALON_CHECKED(place_planned_buffers());
    reserve();
    for (std::size_t i = 0; i < plan_.values.size(); ++i) {
      index_ = i;
      const Status added = std::visit([this](const auto& value) { return add(value); }, plan_.values[i]);
      if (!added.ok()) return Error(added.error()).with_context(fmt::format("value {}", i));
    }
    ETALON_CHECKED(bind_tensors());
    for (std::size_t i = 0; i < table_.values_.size(); ++i) ETALON_CHECKED(table_.refresh(i));
    table_.initial_ = table_.values_;
    return std::move(table_);
  }

 private:
  struct Placement {
    std::size_t tensor;
    std::size_t offset;
    Bytes initial;  // copied there; may be empty
  };

  Status check_devices() const {
    for (const auto& device : plan_.buffer_devices) {
      if (device.device_type != 0) return unsupported("planned memory on another device than the CPU");
    }
    return {};
  }

  Status grow(std::uint64_t bytes, std::size_t& offset) {
    offset = static_cast<std::size_t>(memory_bytes_);
    const auto end = checked_add(memory_bytes_, bytes);
    const auto rounded = end ? checked_add<std::uint64_t>(*end, kBufferAlignment - 1) : std::nullopt;
    if (!rounded || *rounded > memory_limit_) {
      return resource_error(fmt::format("it needs more than {} bytes of memory, the limit is {}",
                                        end.value_or(~std::uint64_t{0}), memory_limit_));
    }
    memory_bytes_ = *rounded / kBufferAlignment * kBufferAlignment;
    return {};
  }

  Status place_planned_buffers() {
    buffer_offsets_.push_back(0);
    for (std::size_t i = 1; i < plan_.planned_buffer_sizes.size(); ++i) {
      std::size_t offset = 0;
      ETALON_CHECKED(grow(static_cast<std::uint64_t>(plan_.planned_buffer_sizes[i]), offset));
      buffer_offsets_.push_back(offset);
    }
    return {};
  }

  void reserve() {
    const std::size_t count = plan_.values.size();
    const auto tensors = std::count_if(plan_.values.begin(), plan_.values.end(), [](const pte::EValue& value) {
      return std::holds_alternative<pte::Tensor>(value);
    });
    table_.tensors_.reserve(static_cast<std::size_t>(tensors));  // values point into it
    table_.values_.reserve(count);
    table_.kinds_.reserve(count);
    table_.list_of_.assign(count, ValueTable::kNoItem);
    table_.read_only_.assign(count, false);
  }

  Status append(ValueKind kind, const ops::Value& value) {
    table_.kinds_.push_back(kind);
    table_.values_.push_back(value);
    return {};
  }

  Status add(const pte::Null&) { return append(ValueKind::kNone, ops::Value()); }
  Status add(const pte::Int& v) { return append(ValueKind::kNumber, ops::Value::of_int(v.value)); }
  Status add(const pte::Bool& v) { return append(ValueKind::kNumber, ops::Value::of_bool(v.value)); }
  Status add(const pte::Double& v) { return append(ValueKind::kNumber, ops::Value::of_double(v.value)); }
  Status add(const pte::String& v) { return append(ValueKind::kString, ops::Value::of_string(v.value)); }
  Status add(const pte::DoubleList& v) { return append(ValueKind::kPlainList, ops::Value::of_doubles(v.items)); }

  Status add(const pte::BoolList& v) {
    auto items = std::make_unique<bool[]>(v.items.size());
    for (std::size_t i = 0; i < v.items.size(); ++i) items[i] = v.items[i] != 0;
    const std::span<const bool> view(items.get(), v.items.size());
    table_.bools_.push_back(std::move(items));
    return append(ValueKind::kPlainList, ops::Value::of_bools(view));
  }

  Status add(const pte::IntList& v) { return add_list(ValueKind::kIntList, std::span(v.items)); }
  Status add(const pte::TensorList& v) { return add_list(ValueKind::kTensorList, std::span(v.items)); }
  Status add(const pte::OptionalTensorList& v) { return add_list(ValueKind::kTensorList, std::span(v.items)); }

  template <class Index>
  Status add_list(ValueKind kind, std::span<const Index> items) {
    table_.list_of_[index_] = static_cast<std::uint32_t>(table_.lists_.size());
    auto& list = table_.lists_.emplace_back();
    for (const Index item : items) {
      const bool none = item < 0 || std::holds_alternative<pte::Null>(plan_.values[static_cast<std::size_t>(item)]);
      list.items.push_back(none ? ValueTable::kNoItem : static_cast<std::uint32_t>(item));
    }
    if (kind == ValueKind::kIntList) {
      list.ints.resize(items.size());
    } else {
      list.tensors.resize(items.size());
    }
    return append(kind, ops::Value());  // refresh() fills it in
  }

  Status add(const pte::Tensor& tensor) {
    const auto dtype = dtype_from_number(tensor.dtype);
    if (!dtype) return unsupported(fmt::format("tensor of dtype number {}", tensor.dtype));
    if (tensor.dynamism == pte::ShapeDynamism::kDynamicUnbound) return unsupported("tensor without bounds of its shape");
    const std::vector<std::int64_t> wide(tensor.sizes.begin(), tensor.sizes.end());
    ETALON_TRY(const Dims sizes, make_dims(wide));
    if (tensor.dim_order.size() != sizes.size()) return invalid_input("the dim order does not have the tensor's rank");
    const DimOrder order{std::span<const std::uint8_t>(tensor.dim_order)};
    if (!is_permutation(order)) return invalid_input("the dim order is no permutation");
    TensorView& view = table_.tensors_.emplace_back(*dtype, sizes, order, nullptr);
    view.set_resizable(tensor.dynamism != pte::ShapeDynamism::kStatic);
    ETALON_CHECKED(place(tensor, view));
    return append(ValueKind::kTensor, ops::Value::of_tensor(&view));
  }

  Status place(const pte::Tensor& tensor, TensorView& view) {
    ETALON_TRY(const Bytes initial, initial_bytes(tensor, view));
    if (tensor.allocation) return place_planned(*tensor.allocation, view, initial);
    if (initial.empty()) return place_alone(view, {});
    const auto address = reinterpret_cast<std::uintptr_t>(initial.data());
    if (address % size_of(view.dtype()) != 0) return place_alone(view, initial);
    table_.read_only_[index_] = true;
    view.bind(const_cast<std::byte*>(initial.data()), view.nbytes());
    return {};
  }

  Result<Bytes> initial_bytes(const pte::Tensor& tensor, const TensorView& view) const {
    if (tensor.is_external()) return external_bytes(tensor, view);
    if (tensor.data_buffer_idx == 0) return Bytes{};
    return pte::tensor_data(program_.contents(), tensor);
  }

  Result<Bytes> external_bytes(const pte::Tensor& tensor, const TensorView& view) const {
    const std::string& key = tensor.extra->fully_qualified_name;
    if (program_.external_data() == nullptr) {
      return not_found(fmt::format("'{}' is stored outside of the program: give its .ptd file", key));
    }
    const auto* entry = program_.external_data()->find(key);
    if (entry == nullptr) return not_found(fmt::format("the external data file has no '{}'", key));
    const auto& layout = entry->layout;
    if (!layout || layout->dtype != tensor.dtype || layout->sizes != tensor.sizes ||
        layout->dim_order != tensor.dim_order) {
      return invalid_input(fmt::format("'{}' in the external data file has another dtype, shape or dim order", key));
    }
    if (entry->data.size() < view.nbytes()) {
      return invalid_input(fmt::format("'{}' in the external data file has {} bytes, want {}", key, entry->data.size(),
                                       view.nbytes()));
    }
    return entry->data.first(view.nbytes());
  }

  Status place_planned(const pte::Allocation& at, TensorView& view, Bytes initial) {
    const std::size_t buffer = at.memory_id;
    if (buffer == 0 || buffer >= buffer_offsets_.size()) {
      return invalid_input(fmt::format("there is no planned buffer {}", buffer));
    }
    const auto available = static_cast<std::uint64_t>(plan_.planned_buffer_sizes[buffer]);
    if (at.offset > available || view.nbytes() > available - at.offset) {
      return invalid_input(fmt::format("{} bytes at {} do not fit planned buffer {} of {} bytes", view.nbytes(),
                                       at.offset, buffer, available));
    }
    if (at.offset % size_of(view.dtype()) != 0) {
      return invalid_input(fmt::format("planned offset {} is no multiple of the element size", at.offset));
    }
    remember(view, buffer_offsets_[buffer] + static_cast<std::size_t>(at.offset), initial);
    return {};
  }

  // ExecuTorch leaves such tensors without memory until the caller gives some; here they always have their own.
  Status place_alone(TensorView& view, Bytes initial) {
    std::size_t offset = 0;
    ETALON_CHECKED(grow(view.nbytes(), offset));
    remember(view, offset, initial);
    return {};
  }

  void remember(const TensorView& view, std::size_t offset, Bytes initial) {
    placements_.push_back({static_cast<std::size_t>(&view - table_.tensors_.data()), offset, initial});
  }

  Status bind_tensors() {
    ETALON_TRY(table_.memory_, AlignedBuffer::allocate(static_cast<std::size_t>(memory_bytes_)));
    for (const Placement& placement : placements_) {
      TensorView& view = table_.tensors_[placement.tensor];
      std::byte* data = table_.memory_.data() + placement.offset;
      view.bind(data, view.nbytes());
      if (!placement.initial.empty()) std::memcpy(data, placement.initial.data(), placement.initial.size());
    }
    return {};
  }

  const Program& program_;
  const pte::ExecutionPlan& plan_;
  const std::uint64_t memory_limit_;
  std::uint64_t memory_bytes_ = 0;
  std::vector<std::size_t> buffer_offsets_;
  std::vector<Placement> placements_;
  std::size_t index_ = 0;
  ValueTable table_;
};

Result<ValueTable> ValueTable::build(const Program& program, const pte::ExecutionPlan& plan,
                                     std::uint64_t memory_limit) {
  return ValueTableBuilder(program, plan, memory_limit).run();
}

std::span<const std::uint32_t> ValueTable::items(std::size_t i) const {
  if (list_of_[i] == kNoItem) return {};
  return lists_[list_of_[i]].items;
}

Status ValueTable::refresh(std::size_t i) {
  if (list_of_[i] == kNoItem) return {};
  List& list = lists_[list_of_[i]];
  if (kinds_[i] == ValueKind::kIntList) {
    for (std::size_t k = 0; k < list.items.size(); ++k) {
      const ops::Value* item = list.items[k] == kNoItem ? nullptr : &values_[list.items[k]];
      if (item == nullptr || !item->is(ops::Value::Tag::kInt)) {
        return invalid_input(fmt::format("item {} of list {} is not an int", k, i));
      }
      list.ints[k] = item->as_int();
    }
    values_[i] = ops::Value::of_ints(list.ints);
    return {};
  }
  for (std::size_t k = 0; k < list.items.size(); ++k) {
    list.tensors[k] = list.items[k] == kNoItem ? nullptr : values_[list.items[k]].as_tensor();
  }
  values_[i] = ops::Value::of_tensors(list.tensors);
  return {};
}

}  // namespace etalon::runtime
