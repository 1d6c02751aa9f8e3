#include "backends/native/plan_builder.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "backends/native/arena_plan.h"
#include "backends/native/operations/copy.h"
#include "base/checked.h"

namespace etalon::native {
namespace {

std::size_t element_bytes_of(const Value& value) { return xnn::bits_of(value.type) / 8; }

// Kinds whose operations can write rows that are apart from each other.
bool writes_rows(const Node& node) {
  return node.as<Conv>() != nullptr || node.as<Unary>() != nullptr || node.as<Binary>() != nullptr ||
         node.as<Softmax>() != nullptr || node.as<Matmul>() != nullptr || node.as<Attention>() != nullptr ||
         node.as<LayerNorm>() != nullptr || node.as<Concatenate>() != nullptr || node.as<Qs8Conv>() != nullptr ||
         node.as<Qs8Binary>() != nullptr || node.as<Qs8Table>() != nullptr || node.as<Quantise>() != nullptr ||
         node.as<Dequantise>() != nullptr || node.as<Qd8Conv>() != nullptr || node.as<Qs8Attention>() != nullptr;
}

bool makes_a_view(const Node& node) { return node.as<Transpose>() != nullptr || node.as<Slice>() != nullptr; }

bool same_place(const Placement& a, const Placement& b, const Dims& dims) {
  if (a.at.storage != b.at.storage || a.at.offset_bytes != b.at.offset_bytes) return false;
  for (std::size_t i = 0; i < dims.size(); ++i) {
    if (dims[i] != 1 && a.strides[i] != b.strides[i]) return false;
  }
  return true;
}

}  // namespace

PlanBuilder::PlanBuilder(const Graph& graph, const Settings& settings, PackedWeights& packed)
    : graph_(graph), settings_(settings), packed_(packed), plan_(std::make_unique<Plan>()) {
  placements_.resize(graph.values.size());
  contiguous_.resize(graph.values.size());
  homes_.resize(graph.values.size());
  preferred_.resize(graph.values.size());
  for (ValueId id = 0; id < graph.values.size(); ++id) {
    const Value& value = graph.values[id];
    Storage storage;
    storage.bytes = storage_bytes(id);
    if (value.is_constant()) {
      storage.kind = StorageKind::kFixed;
      storage.fixed = value.constant.data();
    } else if (value.is_input) {
      storage.kind = StorageKind::kExternal;
      storage.argument = value.external;
    } else {
      continue;
    }
    placements_[id] = Placement{{add_storage(storage), 0}, contiguous_strides(value.dims)};
  }
}

Result<std::unique_ptr<Plan>> PlanBuilder::build() {
  find_homes();
  for (const Node& node : graph_.nodes) {
    pending_.clear();
    const Status status =
        std::visit([&](const auto& params) { return lower(*this, node, params); }, node.params);
    if (!status.ok()) return Error(status.error()).with_context(node.label);
  }
  ETALON_CHECKED(packed_.commit());
  for (const Fixup& fixup : fixups_) *fixup.where = packed_.data(fixup.id);
  ETALON_CHECKED(place_memory(*plan_));
  number_labels(*plan_);
  return std::move(plan_);
}

// From the back, so that a concatenation inside of another knows where it will be.
void PlanBuilder::find_homes() {
  for (std::size_t n = graph_.nodes.size(); n-- > 0;) {
    const Node& node = graph_.nodes[n];
    if (node.as<Reshape>() != nullptr) {
      const ValueId whole = node.output();
      const bool is_fixed = value(whole).is_output || homes_[whole].whole != kNoValue;
      if (is_fixed && has_contiguous_home(whole)) offer_home(node.inputs[0], {whole, 0, 0, true}, true);
    } else if (node.as<Transpose>() != nullptr) {
      prefer_order(node);
    } else if (const auto* concatenate = node.as<Concatenate>()) {
      std::int64_t index = 0;
      for (const ValueId part : node.inputs) {
        offer_home(part, {node.output(), index, concatenate->axis, false}, false);
        index += dims(part)[concatenate->axis];
      }
    }
  }
}

// Products write their rows anywhere, so heads that are put beside each other afterwards are put there at
// once.
void PlanBuilder::prefer_order(const Node& transpose) {
  const auto& perm = transpose.as<Transpose>()->perm;
  if (perm.back() + 1 != perm.size()) return;
  const Dims dense = contiguous_strides(dims(transpose.output()));
  Dims wanted = dense;
  for (std::size_t i = 0; i < perm.size(); ++i) wanted[perm[i]] = dense[i];
  ValueId id = transpose.inputs[0];
  for (;;) {
    const std::size_t producer = graph_.producer(id);
    if (producer == Graph::kNone || !graph_.has_one_user(id)) return;
    const Node& made = graph_.nodes[producer];
    if (made.as<Matmul>() != nullptr || made.as<Attention>() != nullptr || made.as<Qs8Attention>() != nullptr) break;
    if (made.as<Reshape>() == nullptr) return;
    const auto strides = reshaped_strides(dims(id), wanted, dims(made.inputs[0]));
    if (!strides) return;
    id = made.inputs[0];
    wanted = *strides;
  }
  if (dims(id).back() == 1 || wanted.back() == 1) preferred_[id] = wanted;
}

bool PlanBuilder::has_contiguous_home(ValueId whole) const {
  const Home& home = homes_[whole];
  if (home.whole == kNoValue || home.is_reshape) return true;
  return part_is_contiguous(home.whole, home.axis) && has_contiguous_home(home.whole);
}

// A part of a row-major whole is row-major itself if nothing but ones is outside of the axis.
bool PlanBuilder::part_is_contiguous(ValueId whole, std::size_t axis) const {
  const Dims& sizes = dims(whole);
  return std::all_of(sizes.begin(), sizes.begin() + axis, [](std::int64_t size) { return size == 1; });
}

void PlanBuilder::offer_home(ValueId part, const Home& home, bool must_be_dense) {
  const Value& value = graph_.values[part];
  const std::size_t producer = graph_.producer(part);
  if (value.is_constant() || value.is_input || value.is_output || homes_[part].whole != kNoValue) return;
  if (producer == Graph::kNone || makes_a_view(graph_.nodes[producer])) return;
  const bool dense =
      must_be_dense || (part_is_contiguous(home.whole, home.axis) && has_contiguous_home(home.whole));
  if (!dense) {
    // Rows of the whole must be equally far apart: it is row-major itself, and cut along its last dim.
    const bool rows = home.axis + 1 == dims(part).size() && has_contiguous_home(home.whole);
    if (!rows || !writes_rows(graph_.nodes[producer])) return;
  }
  homes_[part] = home;
}

std::uint32_t PlanBuilder::add_storage(Storage storage) {
  storages_.push_back(storage);
  return static_cast<std::uint32_t>(storages_.size() - 1);
}

std::size_t PlanBuilder::storage_bytes(ValueId id) const {
  return reference::storage_bytes(value(id).tensor_type());
}

void PlanBuilder::note_use(std::uint32_t storage) { pending_.push_back(storage); }

Placement PlanBuilder::input(ValueId id) {
  ETALON_CHECK(placements_[id].has_value());
  note_use(placements_[id]->at.storage);
  return *placements_[id];
}

Placement PlanBuilder::contiguous_input(ValueId id) {
  const Placement& placement = *placements_[id];
  if (is_contiguous(dims(id), placement.strides)) return input(id);
  if (!contiguous_[id]) {
    const auto suspended = std::exchange(pending_, {});
    const Node* maker = graph_.producer(id) == Graph::kNone ? nullptr : &graph_.nodes[graph_.producer(id)];
    const bool is_view = maker != nullptr && makes_a_view(*maker);
    const Placement copy{{add_storage({.bytes = storage_bytes(id)}), 0}, contiguous_strides(dims(id))};
    add_copy(placement, copy, dims(id), element_bytes_of(value(id)),
             is_view ? maker->label : "Copy (NC, X32)", is_view ? maker : nullptr);
    contiguous_[id] = copy;
    pending_ = suspended;
  }
  note_use(contiguous_[id]->at.storage);
  return *contiguous_[id];
}

Placement PlanBuilder::row_input(ValueId id, std::int64_t& stride) {
  const auto found = row_stride(dims(id), placements_[id]->strides);
  if (found) {
    stride = *found;
    return input(id);
  }
  stride = dims(id).empty() ? 1 : dims(id).back();
  return contiguous_input(id);
}

Placement PlanBuilder::column_input(ValueId id) {
  const Dims& sizes = dims(id);
  const std::size_t column = sizes.size() - 2;
  if (sizes[column] == 1 || placements_[id]->strides[column] == 1) return input(id);
  const auto swapped = [column](Dims d) {
    std::swap(d[column], d[column + 1]);
    return d;
  };
  const auto suspended = std::exchange(pending_, {});
  const Dims copied = swapped(sizes);
  const Placement copy{{add_storage({.bytes = storage_bytes(id)}), 0}, contiguous_strides(copied)};
  add_copy({placements_[id]->at, swapped(placements_[id]->strides)}, copy, copied,
           element_bytes_of(value(id)), "Transpose (ND, X32)", nullptr);
  pending_ = suspended;
  note_use(copy.at.storage);
  return {copy.at, swapped(copy.strides)};
}

Placement PlanBuilder::new_placement(ValueId id, const Dims* wanted) {
  const Home& home = homes_[id];
  if (home.whole != kNoValue) {
    if (!placements_[home.whole]) placements_[home.whole] = new_placement(home.whole, nullptr);
    Placement placement = *placements_[home.whole];
    if (home.is_reshape) {
      placement.strides = contiguous_strides(dims(id));
    } else {
      placement.at.offset_bytes +=
          home.index * placement.strides[home.axis] * static_cast<std::int64_t>(element_bytes_of(value(id)));
    }
    return placement;
  }
  Storage storage{.bytes = storage_bytes(id)};
  if (value(id).is_output) {
    storage.kind = StorageKind::kExternal;
    storage.argument = value(id).external;
    return {{add_storage(storage), 0}, contiguous_strides(dims(id))};
  }
  if (wanted == nullptr && preferred_[id]) wanted = &*preferred_[id];
  return {{add_storage(storage), 0}, wanted != nullptr ? *wanted : contiguous_strides(dims(id))};
}

Placement PlanBuilder::output(ValueId id, const Dims* wanted) {
  if (!placements_[id]) placements_[id] = new_placement(id, wanted);
  note_use(placements_[id]->at.storage);
  return *placements_[id];
}

bool PlanBuilder::try_alias(ValueId id, const Placement& placement) {
  if (output_is_free(id)) {
    placements_[id] = placement;
    return true;
  }
  if (!placements_[id]) placements_[id] = new_placement(id, nullptr);
  return same_place(*placements_[id], placement, dims(id));
}

Operand PlanBuilder::temporary(std::size_t bytes) {
  const std::uint32_t storage = add_storage({.bytes = bytes});
  note_use(storage);
  return {storage, 0};
}

void PlanBuilder::allow_in_place(const Placement& output, const Placement& input) {
  if (output.at.offset_bytes != 0 || input.at.offset_bytes != 0) return;
  in_place_.push_back(
      {output.at.storage, input.at.storage, static_cast<std::uint32_t>(plan_->operations.size())});
}

void PlanBuilder::pack(std::string key, std::size_t bytes, std::function<void(std::byte*)> pack,
                       const void** where) {
  fixups_.push_back({packed_.request(std::move(key), bytes, std::move(pack)), where});
}

void PlanBuilder::add(std::unique_ptr<Operation> operation, const Node& node) {
  const auto index = static_cast<std::uint32_t>(plan_->operations.size());
  // An operand that reads the same memory in another way would see what is written meanwhile.
  std::erase_if(in_place_, [&](const InPlace& wish) {
    return wish.operation == index && std::count(pending_.begin(), pending_.end(), wish.input) > 1;
  });
  for (const std::uint32_t storage : pending_) {
    storages_[storage].first = std::min(storages_[storage].first, index);
    storages_[storage].last = std::max(storages_[storage].last, index);
  }
  pending_.clear();
  runtime::DelegateOperation& evidence = operation->evidence;
  if (evidence.name.empty()) evidence.name = node.label;
  if (evidence.debug_handles.empty()) evidence.debug_handles = node.debug_handles;
  evidence.nodes = node.payload_nodes;
  evidence.threads = operation->is_shared ? settings_.threads : 1;
  plan_->scratch_bytes = std::max(plan_->scratch_bytes, operation->scratch_bytes);
  plan_->operations.push_back(std::move(operation));
}

void PlanBuilder::add_copy(const Placement& from, const Placement& to, const Dims& dims,
                           std::size_t element_bytes, std::string label, const Node* work) {
  Node node;
  node.label = std::move(label);
  if (work != nullptr) add_origin(node, *work);
  note_use(from.at.storage);
  note_use(to.at.storage);
  add(make_copy(from, to, dims, element_bytes, settings_.cap), node);
}

// An output takes over the memory of an input that nothing reads later.
void PlanBuilder::merge_in_place() {
  const auto root = [this](std::uint32_t storage) {
    while (storages_[storage].merged_into != 0xFFFFFFFFu) storage = storages_[storage].merged_into;
    return storage;
  };
  for (const InPlace& wish : in_place_) {
    Storage& output = storages_[root(wish.output)];
    const std::uint32_t into = root(wish.input);
    Storage& input = storages_[into];
    if (&output == &input || output.kind != StorageKind::kArena || input.kind != StorageKind::kArena)
      continue;
    if (output.bytes != input.bytes || output.first != wish.operation || input.last != wish.operation)
      continue;
    output.merged_into = into;
    input.last = output.last;
  }
}

Status PlanBuilder::place_memory(Plan& plan) {
  merge_in_place();
  std::vector<ArenaItem> items;
  std::vector<std::uint32_t> owners;
  std::size_t total = 0;
  for (std::uint32_t i = 0; i < storages_.size(); ++i) {
    const Storage& storage = storages_[i];
    if (storage.kind != StorageKind::kArena || storage.merged_into != 0xFFFFFFFFu ||
        storage.first > storage.last)
      continue;
    items.push_back({storage.bytes, storage.first, storage.last});
    owners.push_back(i);
    total += storage.bytes;
  }
  const ArenaPlan arena = plan_arena(items);
  if (arena.bytes > settings_.memory_limit) {
    return resource_error(
        fmt::format("activations need {} bytes, the limit is {}", arena.bytes, settings_.memory_limit));
  }
  plan.arena_bytes = arena.bytes;
  plan.bases.assign(storages_.size(), nullptr);
  std::vector<std::size_t> offsets(storages_.size(), 0);
  for (std::size_t i = 0; i < items.size(); ++i) offsets[owners[i]] = arena.offsets[i];
  for (std::uint32_t i = 0; i < storages_.size(); ++i) {
    Storage& storage = storages_[i];
    std::uint32_t root = i;
    while (storages_[root].merged_into != 0xFFFFFFFFu) root = storages_[root].merged_into;
    if (storage.kind == StorageKind::kArena) plan.placed.push_back({i, offsets[root]});
    // Constants are only ever read, through operands of inputs; those that were packed are not read at all.
    const bool is_used = storage.first <= storage.last;
    if (storage.kind == StorageKind::kFixed && is_used) plan.bases[i] = const_cast<std::byte*>(storage.fixed);
    if (storage.kind == StorageKind::kExternal) plan.externals.push_back({i, storage.argument});
  }
  return {};
}

// XNNPACK's delegate numbers the operators of one name, and tools strip that again.
void PlanBuilder::number_labels(Plan& plan) const {
  std::map<std::string, int, std::less<>> counts;
  for (const auto& operation : plan.operations) {
    operation->evidence.name += fmt::format(" #{}", ++counts[operation->evidence.name]);
    plan.evidence.push_back(operation->evidence);
  }
}

}  // namespace etalon::native
