#include "cli/model_facts_values.h"

#include <fmt/core.h>

namespace etalon::cli {

namespace pte = formats::pte;

namespace {

// As few as the operators can be asked about; anything else stays without a view.
std::unique_ptr<TensorView> make_view(const pte::Tensor& tensor) {
  const auto dtype = dtype_from_number(tensor.dtype);
  const std::vector<std::int64_t> wide(tensor.sizes.begin(), tensor.sizes.end());
  const auto sizes = make_dims(wide);
  if (!dtype || !sizes.ok() || tensor.dim_order.size() != sizes->size()) return nullptr;
  const DimOrder order{std::span<const std::uint8_t>(tensor.dim_order)};
  if (!is_permutation(order)) return nullptr;
  return std::make_unique<TensorView>(*dtype, *sizes, order, nullptr);
}

template <class Index>
bool is_none(const pte::ExecutionPlan& plan, Index item) {
  return item < 0 || std::holds_alternative<pte::Null>(plan.values[static_cast<std::size_t>(item)]);
}

}  // namespace

ModelValues::ModelValues(const pte::ExecutionPlan& plan) : plan_(plan) {
  values_.reserve(plan.values.size());
  views_.resize(plan.values.size());
  ints_.resize(plan.values.size());
  lists_.resize(plan.values.size());
  for (const pte::EValue& value : plan.values) add(value);
}

void ModelValues::add(const pte::EValue& value) {
  ops::Value out;
  if (const auto* number = std::get_if<pte::Int>(&value)) out = ops::Value::of_int(number->value);
  if (const auto* flag = std::get_if<pte::Bool>(&value)) out = ops::Value::of_bool(flag->value);
  if (const auto* real = std::get_if<pte::Double>(&value)) out = ops::Value::of_double(real->value);
  if (const auto* text = std::get_if<pte::String>(&value)) out = ops::Value::of_string(text->value);
  if (const auto* reals = std::get_if<pte::DoubleList>(&value)) out = ops::Value::of_doubles(reals->items);
  if (const auto* flags = std::get_if<pte::BoolList>(&value)) {
    auto items = std::make_unique<bool[]>(flags->items.size());
    for (std::size_t i = 0; i < flags->items.size(); ++i) items[i] = flags->items[i] != 0;
    out = ops::Value::of_bools(std::span<const bool>(items.get(), flags->items.size()));
    bools_.push_back(std::move(items));
  }
  if (const auto* tensor = std::get_if<pte::Tensor>(&value)) {
    auto& view = views_[values_.size()];
    view = make_view(*tensor);
    if (view != nullptr) out = ops::Value::of_tensor(view.get());
  }
  values_.push_back(out);
}

const pte::Tensor* ModelValues::tensor(std::int32_t value) const {
  return std::get_if<pte::Tensor>(&plan_.values[index(value)]);
}

const TensorView* ModelValues::view(std::int32_t value) const { return views_[index(value)].get(); }

bool ModelValues::is_constant(std::int32_t value) const {
  const pte::Tensor* found = tensor(value);
  return found != nullptr && (found->is_constant() || (found->is_external() && !found->allocation));
}

std::vector<std::int32_t> ModelValues::tensors_of(std::int32_t value) const {
  std::vector<std::int32_t> found;
  const pte::EValue& stored = plan_.values[index(value)];
  const auto add_items = [&](const std::vector<std::int32_t>& items) {
    for (const std::int32_t item : items) {
      if (item >= 0 && tensor(item) != nullptr) found.push_back(item);
    }
  };
  if (std::holds_alternative<pte::Tensor>(stored)) found.push_back(value);
  if (const auto* list = std::get_if<pte::TensorList>(&stored)) add_items(list->items);
  if (const auto* list = std::get_if<pte::OptionalTensorList>(&stored)) add_items(list->items);
  return found;
}

std::string ModelValues::text(std::int32_t value) const {
  if (const TensorView* shape = view(value)) {
    return std::string(name_of(shape->dtype())) + to_string(shape->sizes());
  }
  const pte::Tensor* stored = tensor(value);
  if (stored == nullptr) return "";
  std::string sizes;
  for (const std::int32_t size : stored->sizes) sizes += fmt::format("{}{}", sizes.empty() ? "" : ", ", size);
  return fmt::format("dtype {}[{}]", stored->dtype, sizes);
}

double ModelValues::bytes(std::int32_t value) const {
  const pte::Tensor* stored = tensor(value);
  if (stored == nullptr) return 0;
  return static_cast<double>(pte::tensor_nbytes(*stored).value_or(0));
}

void ModelValues::refresh(std::int32_t value) {
  const std::size_t at = index(value);
  const pte::EValue& stored = plan_.values[at];
  const auto fill_tensors = [&](const std::vector<std::int32_t>& items) {
    lists_[at].assign(items.size(), nullptr);
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (!is_none(plan_, items[i])) lists_[at][i] = views_[index(items[i])].get();
    }
    values_[at] = ops::Value::of_tensors(lists_[at]);
  };
  if (const auto* list = std::get_if<pte::IntList>(&stored)) {
    ints_[at].clear();
    for (const std::int64_t item : list->items) {
      const ops::Value& number = values_[static_cast<std::size_t>(item)];
      if (number.is(ops::Value::Tag::kInt)) ints_[at].push_back(number.as_int());
    }
    const bool complete = ints_[at].size() == list->items.size();
    values_[at] = complete ? ops::Value::of_ints(ints_[at]) : ops::Value();
  }
  if (const auto* list = std::get_if<pte::TensorList>(&stored)) fill_tensors(list->items);
  if (const auto* list = std::get_if<pte::OptionalTensorList>(&stored)) fill_tensors(list->items);
}

const ops::Value* ModelValues::argument(std::int32_t value) {
  refresh(value);
  return &values_[index(value)];
}

}  // namespace etalon::cli
