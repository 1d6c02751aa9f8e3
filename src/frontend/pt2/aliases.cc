#include "frontend/pt2/aliases.h"

#include <fmt/core.h>

#include <numeric>
#include <utility>

namespace etalon::frontend {

SlotId Aliases::add(Slot slot) {
  slots_.push_back(std::move(slot));
  return SlotId(slots_.size() - 1);
}

SlotId Aliases::add_root(ir::ValueId value) {
  Slot slot;
  slot.storage = StorageId(generations_.size());
  slot.value = value;
  generations_.push_back(0);
  return add(std::move(slot));
}

SlotId Aliases::add_lazy_root(std::function<Result<ir::ValueId>()> make) {
  const SlotId slot = add_root(ir::kNoValue);
  at(slot).make = std::move(make);
  return slot;
}

SlotId Aliases::add_view(SlotId parent, ViewStep step, ir::ValueId value) {
  Slot slot;
  slot.storage = storage_of(parent);
  slot.is_root = false;
  slot.parent = parent;
  slot.step = std::move(step);
  slot.value = value;
  slot.generation = generation_of(parent);
  return add(std::move(slot));
}

SlotId Aliases::add_alias(SlotId parent, ir::ValueId value) { return add_view(parent, {}, value); }

SlotId Aliases::root_of(SlotId slot) const {
  while (!slots_[static_cast<std::size_t>(slot)].is_root)
    slot = slots_[static_cast<std::size_t>(slot)].parent;
  return slot;
}

Result<ir::ValueId> Aliases::read(SlotId id) {
  if (at(id).is_root) {
    if (at(id).value == ir::kNoValue) {
      ETALON_TRY(const ir::ValueId made, at(id).make());
      at(id).value = made;
    }
    return at(id).value;
  }
  if (at(id).generation == generation_of(id)) return at(id).value;
  ETALON_TRY(const ir::ValueId parent, read(at(id).parent));
  ir::ValueId value = parent;
  if (const ViewStep& step = at(id).step; step.target) {
    std::vector<ir::Arg> args = step.args;
    args[0] = parent;
    ETALON_TRY(const ir::ValueIds outs, lower(builder_, step.target, std::move(args)));
    if (step.output >= outs.size())
      return internal_error(fmt::format("{} gives {} tensors", step.name, outs.size()));
    value = outs[step.output];
  }
  at(id).value = value;
  at(id).generation = generation_of(id);
  return value;
}

Status Aliases::write(SlotId id, ir::ValueId value) {
  // Parents are read before anything changes.
  std::vector<std::pair<SlotId, ir::ValueId>> updates = {{id, value}};
  SlotId child = id;
  while (!at(child).is_root) {
    const SlotId parent = at(child).parent;
    ir::ValueId updated = updates.back().second;
    if (at(child).step.target) {
      ETALON_TRY(const ir::ValueId old, read(parent));
      ETALON_TRY(updated, scatter_view(builder_, at(child).step, old, updated));
    }
    updates.emplace_back(parent, updated);
    child = parent;
  }
  const std::uint32_t generation = ++generations_[static_cast<std::size_t>(storage_of(id))];
  for (const auto& [slot, updated] : updates) {
    at(slot).value = updated;
    at(slot).generation = generation;
  }
  return {};
}

namespace {

bool is_one_of(std::string_view name, std::initializer_list<std::string_view> names) {
  for (const std::string_view candidate : names) {
    if (candidate == name) return true;
  }
  return false;
}

// Views with all elements of their parent, in the same row-major order.
bool keeps_order(std::string_view name) {
  return is_one_of(
      name, {"aten::view", "aten::reshape", "aten::_unsafe_view", "aten::flatten.using_ints",
             "aten::unflatten.int", "aten::squeeze", "aten::squeeze.dim", "aten::squeeze.dims",
             "aten::unsqueeze", "aten::view_as", "aten::reshape_as", "aten::ravel", "aten::_reshape_alias"});
}

// Shows which element of the parent each element of the view is, by looking at the parent's row-major numbers
// the same way, and scatters by that. Works for every view that shows an element once.
Result<ir::ValueId> scatter_by_number(ir::Builder& builder, const ViewStep& step, ir::ValueId parent,
                                      ir::ValueId child) {
  const ir::TensorType type = builder.type(parent);
  if (type.is_dynamic())
    return unsupported(
        fmt::format("writing through {} of a tensor with dynamic sizes is not supported", step.name));
  constexpr std::int64_t kMaxElements = std::int64_t{1} << 26;
  if (numel(type.sizes) > kMaxElements)
    return unsupported(fmt::format("writing through {} of so large a tensor is not supported", step.name));
  std::vector<std::int64_t> numbers(static_cast<std::size_t>(numel(type.sizes)));
  std::iota(numbers.begin(), numbers.end(), 0);
  std::vector<ir::Arg> args = step.args;
  args[0] = builder.int_tensor(numbers, type.sizes);
  ETALON_TRY(const ir::ValueIds shown, lower(builder, step.target, std::move(args)));
  const ir::IntItems flat = ir::literal_ints({-1});
  ETALON_TRY(const ir::ValueId index, builder.call("aten::view_copy", {shown[step.output], flat}));
  ETALON_TRY(const ir::ValueId source, builder.call("aten::view_copy", {child, flat}));
  ETALON_TRY(const ir::ValueId elements, builder.call("aten::view_copy", {parent, flat}));
  ETALON_TRY(const ir::ValueId out,
             builder.call("aten::scatter.src", {elements, std::int64_t{0}, index, source}));
  return builder.call("aten::view_copy", {out, ir::literal_ints(type.sizes.span())});
}

bool shows_elements_twice(const ir::Builder& builder, std::string_view name, ir::ValueId parent,
                          ir::ValueId child) {
  if (!is_one_of(name, {"aten::expand", "aten::expand_as", "aten::broadcast_to", "aten::unfold",
                        "aten::as_strided"}))
    return false;
  return numel(builder.type(parent).sizes) < numel(builder.type(child).sizes);
}

Result<ir::ValueId> scatter_transposed(ir::Builder& builder, const ViewStep& step, ir::ValueId child) {
  std::vector<ir::Arg> args = {child};
  if (step.args.size() > 1) args.insert(args.end(), step.args.begin() + 1, step.args.end());
  ETALON_TRY(const ir::ValueIds outs, lower(builder, step.target, std::move(args)));
  return outs[0];
}

Result<ir::ValueId> scatter_permuted(ir::Builder& builder, const ViewStep& step, ir::ValueId child) {
  const auto& dims = std::get<ir::IntItems>(step.args[1]);
  const auto rank = static_cast<std::int64_t>(dims.size());
  std::vector<std::int64_t> inverse(dims.size());
  for (std::size_t i = 0; i < dims.size(); ++i) {
    inverse[static_cast<std::size_t>((dims[i].value + rank) % rank)] = static_cast<std::int64_t>(i);
  }
  return builder.call("aten::permute_copy", {child, ir::literal_ints(inverse)});
}

Result<ir::ValueId> scatter_in_order(ir::Builder& builder, ir::ValueId parent, ir::ValueId child) {
  ETALON_TRY(ir::IntItems sizes, builder.size_items(parent));
  return builder.call("aten::view_copy", {child, std::move(sizes)});
}

Result<ir::ValueId> scatter_slice(ir::Builder& builder, const ViewStep& step, ir::ValueId parent,
                                  ir::ValueId child) {
  const auto arg = [&](std::size_t i) { return i < step.args.size() ? step.args[i] : ir::kNone; };
  const ir::Arg dim = step.args.size() > 1 ? arg(1) : ir::Arg{std::int64_t{0}};
  const ir::Arg stride = step.args.size() > 4 ? arg(4) : ir::Arg{std::int64_t{1}};
  return builder.call("aten::slice_scatter", {parent, child, dim, arg(2), arg(3), stride});
}

}  // namespace

Result<ir::ValueId> scatter_view(ir::Builder& builder, const ViewStep& step, ir::ValueId parent,
                                 ir::ValueId child) {
  const std::string_view name = step.name;
  if (shows_elements_twice(builder, name, parent, child)) {
    return unsupported(
        fmt::format("writing through {}, which shows an element in several places, is not supported", name));
  }
  if (keeps_order(name)) return scatter_in_order(builder, parent, child);
  if (is_one_of(name, {"aten::transpose.int", "aten::t", "aten::swapaxes", "aten::swapdims", "aten::mT",
                       "aten::numpy_T"})) {
    return scatter_transposed(builder, step, child);
  }
  if (name == "aten::permute") return scatter_permuted(builder, step, child);
  if (name == "aten::select.int")
    return builder.call("aten::select_scatter", {parent, child, step.args[1], step.args[2]});
  if (name == "aten::slice.Tensor") return scatter_slice(builder, step, parent, child);
  if (name == "aten::unbind.int") {
    const ir::Arg dim = step.args.size() > 1 ? step.args[1] : ir::Arg{std::int64_t{0}};
    return builder.call("aten::select_scatter", {parent, child, dim, static_cast<std::int64_t>(step.output)});
  }
  return scatter_by_number(builder, step, parent, child);
}

}  // namespace etalon::frontend
