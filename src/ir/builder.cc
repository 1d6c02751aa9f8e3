#include "ir/builder.h"

#include <fmt/core.h>

#include <charconv>
#include <cstring>

#include "ir/frame.h"
#include "ops/dispatch.h"

namespace etalon::ir {
namespace {

struct NamedNumber {
  std::string_view name;
  std::int64_t number;
};
// c10 numbers of the enumerators that schemas use as defaults; "Mean" is at::Reduction.
constexpr NamedNumber kNamedNumbers[] = {{"contiguous_format", 0}, {"preserve_format", 1}, {"strided", 0}, {"Mean", 1}, {"long", 4}};

template <class T>
std::optional<T> parse_number(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

template <class T>
std::vector<T> parse_list(std::string_view text) {
  std::vector<T> out;
  text = text.substr(1, text.size() - 2);
  while (!trimmed(text).empty()) {
    const std::size_t comma = text.find(',');
    if (const auto value = parse_number<T>(trimmed(text.substr(0, comma)))) out.push_back(*value);
    text = comma == std::string_view::npos ? std::string_view{} : text.substr(comma + 1);
  }
  return out;
}

void convert_implicitly(const ops::SchemaArg& arg, Arg& value) {
  const auto* number = std::get_if<std::int64_t>(&value);
  const auto* id = std::get_if<ValueId>(&value);
  if (arg.type == ops::ArgType::kFloat && number) {
    value = static_cast<double>(*number);
  } else if (arg.type == ops::ArgType::kBool && number) {
    value = *number != 0;
  } else if (arg.type == ops::ArgType::kIntList && number) {
    value = IntItems(static_cast<std::size_t>(std::max(arg.list_length, 1)), IntItem{*number, kNoValue});
  } else if (arg.type == ops::ArgType::kIntList && id && *id != kNoValue) {
    value = IntItems(static_cast<std::size_t>(std::max(arg.list_length, 1)), IntItem{0, *id});
  } else if (auto* items = std::get_if<IntItems>(&value)) {
    // torch expands a list of one to the wanted length.
    if (items->size() == 1 && arg.list_length > 1) items->resize(static_cast<std::size_t>(arg.list_length), items->front());
    if (arg.type == ops::ArgType::kFloatList) {
      std::vector<double> doubles;
      for (const IntItem& item : *items) doubles.push_back(static_cast<double>(item.value));
      value = std::move(doubles);
    } else if (items->empty() && (arg.type == ops::ArgType::kTensorList || arg.type == ops::ArgType::kOptionalTensorList)) {
      value = ValueIds{};
    }
  }
}

}  // namespace

Result<Arg> default_arg(const ops::SchemaArg& arg) {
  if (!arg.has_default) {
    if (arg.optional) return Arg{};
    return invalid_input(fmt::format("argument {} is missing", arg.name));
  }
  const std::string_view text = arg.default_text;
  if (text == "None") return Arg{};
  if (text == "True") return Arg{true};
  if (text == "False") return Arg{false};
  if (text.starts_with("[")) {
    if (arg.type == ops::ArgType::kFloatList) return Arg{parse_list<double>(text)};
    return Arg{literal_ints(parse_list<std::int64_t>(text))};
  }
  if (text.starts_with("\"") || text.starts_with("'")) return Arg{std::string(text.substr(1, text.size() - 2))};
  if (const auto value = parse_number<std::int64_t>(text)) {
    if (arg.type == ops::ArgType::kIntList) {
      return Arg{IntItems(static_cast<std::size_t>(std::max(arg.list_length, 1)), IntItem{*value, kNoValue})};
    }
    if (arg.type == ops::ArgType::kFloat) return Arg{static_cast<double>(*value)};
    return Arg{*value};
  }
  if (const auto value = parse_number<double>(text)) return Arg{*value};
  for (const NamedNumber& row : kNamedNumbers) {
    if (row.name == text) return Arg{row.number};
  }
  return internal_error(fmt::format("argument {} has the default '{}'", arg.name, text));
}

Status complete_args(const ops::Schema& schema, std::vector<Arg>& args) {
  if (args.size() > schema.args.size()) {
    return invalid_input(fmt::format("has {} arguments, at most {} are known", args.size(), schema.args.size()));
  }
  for (std::size_t i = 0; i < args.size(); ++i) convert_implicitly(schema.args[i], args[i]);
  for (std::size_t i = args.size(); i < schema.args.size(); ++i) {
    ETALON_TRY(Arg value, default_arg(schema.args[i]));
    args.push_back(std::move(value));
  }
  return {};
}

Result<ValueIds> Builder::call_all(std::string_view name, std::vector<Arg> args) {
  const ops::Op* op = ops::find_op(name);
  if (op == nullptr) return unsupported(fmt::format("operator {} is not known", name));
  ETALON_CHECKED(complete_args(op->schema, args), name);
  ETALON_TRY(std::vector<Type> types, infer_types(graph_, *op, args));
  const std::size_t position = position_ < 0 ? graph_.nodes.size() : static_cast<std::size_t>(position_);
  Node node{op, std::move(args), {}, origin_, false, debug_handles_};
  const std::string stem = origin_.source_name.empty() ? op->schema.name.substr(op->schema.name.rfind(':') + 1) : origin_.source_name;
  for (Type& type : types) {
    const std::string value_name = fmt::format("{}_{}", stem, graph_.values.size());
    node.outs.push_back(graph_.add_value(value_name, std::move(type), NodeId(position)));
  }
  ValueIds outs = node.outs;
  graph_.nodes.insert(graph_.nodes.begin() + static_cast<std::ptrdiff_t>(position), std::move(node));
  if (position_ >= 0) {
    ++position_;
    // Producers behind the insertion moved by one.
    for (std::size_t n = position + 1; n < graph_.nodes.size(); ++n) {
      for (const ValueId out : graph_.nodes[n].outs) graph_[out].source_index = static_cast<std::uint32_t>(n);
    }
  }
  return outs;
}

Result<ValueId> Builder::call(std::string_view name, std::vector<Arg> args) {
  ETALON_TRY(const ValueIds outs, call_all(name, std::move(args)));
  if (outs.empty()) return internal_error(fmt::format("operator {} gives nothing", name));
  return outs[0];
}

ValueId Builder::scalar_tensor(double value, DType dtype) {
  std::vector<std::byte> bytes(size_of(dtype));
  // visit_dtype knows every dtype, so the status carries nothing.
  (void)ops::visit_dtype(dtype, [&](auto tag) -> Status {
    using T = typename decltype(tag)::type;
    const T element = ops::Scalar(value).as<T>();
    std::memcpy(bytes.data(), &element, sizeof(T));
    return {};
  });
  return graph_.add_constant({fmt::format("_literal_{}_{}", graph_.values.size(), literal_count_++), TensorType::of(dtype, {}),
                              Data::owned(std::move(bytes)), false, false});
}

ValueId Builder::int_tensor(std::span<const std::int64_t> values, const Dims& sizes, DType dtype) {
  std::vector<std::byte> bytes(values.size() * size_of(dtype));
  (void)ops::visit_dtype(dtype, [&](auto tag) -> Status {
    using T = typename decltype(tag)::type;
    for (std::size_t i = 0; i < values.size(); ++i) {
      const T element = ops::Scalar(values[i]).as<T>();
      std::memcpy(bytes.data() + i * sizeof(T), &element, sizeof(T));
    }
    return {};
  });
  return graph_.add_constant({fmt::format("_literal_{}_{}", graph_.values.size(), literal_count_++), TensorType::of(dtype, sizes),
                              Data::owned(std::move(bytes)), false, false});
}

Result<IntItem> Builder::size_item(ValueId tensor, std::size_t dim) {
  const TensorType& tensor_type = type(tensor);
  if (!tensor_type.is_dynamic(dim)) return IntItem{tensor_type.sizes[dim], kNoValue};
  ETALON_TRY(const ValueId symbol, call("aten::sym_size.int", {tensor, static_cast<std::int64_t>(dim)}));
  return IntItem{0, symbol};
}

Result<IntItems> Builder::size_items(ValueId tensor) {
  IntItems items;
  const std::size_t rank = type(tensor).sizes.size();
  for (std::size_t dim = 0; dim < rank; ++dim) {
    ETALON_TRY(const IntItem item, size_item(tensor, dim));
    items.push_back(item);
  }
  return items;
}

double element_as_double(const Constant& constant, std::size_t index) {
  double out = 0;
  const Bytes bytes = constant.data.bytes();
  (void)ops::visit_dtype(constant.type.dtype, [&](auto tag) -> Status {
    using T = typename decltype(tag)::type;
    if ((index + 1) * sizeof(T) > bytes.size()) return invalid_input("element out of range");
    T element;
    std::memcpy(&element, bytes.data() + index * sizeof(T), sizeof(T));
    out = static_cast<double>(static_cast<ops::MathTypeOf<T>>(element));
    return {};
  });
  return out;
}

}  // namespace etalon::ir
