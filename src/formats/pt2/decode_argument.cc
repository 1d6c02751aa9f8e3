// The Argument union, one small reader per member.
#include "formats/pt2/c10_numbers.h"
#include "formats/pt2/decode_graph.h"

namespace etalon::formats::pt2 {
namespace {

using json::element;
using json::object;

Result<std::int64_t> item_int(element value) { return json::to_int(value, "item"); }
Result<double> item_double(element value) { return json::to_double(value, "item"); }
Result<std::string> item_text(element value) { return json::to_text(value, "item"); }
Result<std::uint8_t> item_bool(element value) {
  ETALON_TRY(const bool out, json::to_bool(value, "item"));
  return static_cast<std::uint8_t>(out);
}

Result<std::string> tensor_name(element value) {
  ETALON_TRY(const object tensor, json::to_object(value, "tensor"));
  return json::require_text(tensor, "name");
}

Result<std::string> optional_tensor_name(element value) {
  ETALON_TRY(const json::Member member, json::active_member(value, "optional tensor"));
  if (member.name == "as_none") return std::string();
  if (member.name == "as_tensor") return tensor_name(member.value);
  return invalid_input(fmt::format("unknown optional tensor '{}'", member.name));
}

Result<SymIntArg> sym_int(element value) {
  ETALON_TRY(const json::Member member, json::active_member(value, "symbolic integer"));
  SymIntArg out;
  if (member.name == "as_name") {
    ETALON_TRY(out.name, json::to_text(member.value, "name"));
  } else if (member.name == "as_int") {
    ETALON_TRY(out.value, json::to_int(member.value, "as_int"));
  } else {
    return invalid_input(fmt::format("unknown symbolic integer '{}'", member.name));
  }
  return out;
}

Result<SymFloatArg> sym_float(element value) {
  ETALON_TRY(const json::Member member, json::active_member(value, "symbolic float"));
  SymFloatArg out;
  if (member.name == "as_name") {
    ETALON_TRY(out.name, json::to_text(member.value, "name"));
  } else if (member.name == "as_float") {
    ETALON_TRY(out.value, json::to_double(member.value, "as_float"));
  } else {
    return invalid_input(fmt::format("unknown symbolic float '{}'", member.name));
  }
  return out;
}

Result<SymBoolArg> sym_bool(element value) {
  ETALON_TRY(const json::Member member, json::active_member(value, "symbolic bool"));
  SymBoolArg out;
  if (member.name == "as_name") {
    ETALON_TRY(out.name, json::to_text(member.value, "name"));
  } else if (member.name == "as_bool") {
    ETALON_TRY(out.value, json::to_bool(member.value, "as_bool"));
  } else {
    return invalid_input(fmt::format("unknown symbolic bool '{}'", member.name));
  }
  return out;
}

Result<std::int8_t> enum_number(element value, std::string_view what,
                                std::optional<std::int8_t> (*convert)(std::int64_t)) {
  ETALON_TRY(const std::int64_t number, json::to_int(value, what));
  if (const auto out = convert(number)) return *out;
  return unsupported(fmt::format("unknown {} {}", what, number));
}

Result<std::string> device_name(element value) {
  ETALON_TRY(const object device, json::to_object(value, "device"));
  ETALON_TRY(std::string out, json::require_text(device, "type"));
  if (const auto index = json::find(device, "index")) {
    ETALON_TRY(const std::int64_t number, json::to_int(*index, "device index"));
    out += fmt::format(":{}", number);
  }
  return out;
}

// Wraps what a reader returns into the union.
template <class Arg, class T>
Result<Argument> wrap(Result<T> content) {
  if (!content.ok()) return content.take_error();
  return Argument{Arg{std::move(content).value()}};
}
template <class Arg, class T, Result<T> (*kItem)(element)>
Result<Argument> read_list(element value) {
  return wrap<Arg>(json::to_list<T>(value, "list", kItem));
}
template <class Arg, class T, Result<T> (*kItem)(element)>
Result<Argument> read_lists(element value) {
  return wrap<Arg>(json::to_list<std::vector<T>>(
      value, "list", [](element inner) { return json::to_list<T>(inner, "list", kItem); }));
}
template <class T, Result<T> (*kItem)(element)>
Result<Argument> read_one(element value) {
  auto content = kItem(value);
  if (!content.ok()) return content.take_error();
  return Argument{std::move(content).value()};
}

Result<Argument> read_none(element) { return Argument{NoneArg{}}; }
Result<Argument> read_tensor(element value) { return wrap<TensorArg>(tensor_name(value)); }
Result<Argument> read_int(element value) { return wrap<IntArg>(json::to_int(value, "as_int")); }
Result<Argument> read_float(element value) { return wrap<FloatArg>(json::to_double(value, "as_float")); }
Result<Argument> read_bool(element value) { return wrap<BoolArg>(json::to_bool(value, "as_bool")); }
Result<Argument> read_string(element value) { return wrap<StringArg>(json::to_text(value, "as_string")); }
Result<Argument> read_operator(element value) {
  return wrap<OperatorArg>(json::to_text(value, "as_operator"));
}
Result<Argument> read_device(element value) { return wrap<DeviceArg>(device_name(value)); }
Result<Argument> read_scalar_type(element value) {
  return wrap<ScalarTypeArg>(enum_number(value, "scalar type", c10_dtype));
}
Result<Argument> read_memory_format(element value) {
  return wrap<MemoryFormatArg>(enum_number(value, "memory format", c10_memory_format));
}
Result<Argument> read_layout(element value) {
  return wrap<LayoutArg>(enum_number(value, "layout", c10_layout));
}

Result<Argument> read_optional_tensor(element value) {
  ETALON_TRY(std::string name, optional_tensor_name(value));
  if (name.empty()) return Argument{NoneArg{}};
  return Argument{TensorArg{std::move(name)}};
}

Result<Argument> read_complex(element value) {
  ETALON_TRY(const object number, json::to_object(value, "complex"));
  ETALON_TRY(const element real, json::require(number, "real"));
  ETALON_TRY(const element imag, json::require(number, "imag"));
  ComplexArg out;
  ETALON_TRY(out.real, json::to_double(real, "real"));
  ETALON_TRY(out.imag, json::to_double(imag, "imag"));
  return Argument{out};
}

Result<Argument> read_custom_object(element value) {
  ETALON_TRY(const object fields, json::to_object(value, "custom object"));
  CustomObjArg out;
  ETALON_TRY(out.name, json::require_text(fields, "name"));
  ETALON_TRY(out.class_fqn, json::text_or_empty(fields, "class_fqn"));
  return Argument{std::move(out)};
}

Result<Argument> read_graph(element value) {
  ETALON_TRY(const object fields, json::to_object(value, "graph"));
  GraphArg out;
  ETALON_TRY(out.name, json::require_text(fields, "name"));
  ETALON_TRY(const element graph, json::require(fields, "graph"));
  ETALON_TRY(Graph decoded, decode_graph(graph), out.name);
  out.graph.push_back(std::move(decoded));
  return Argument{std::move(out)};
}

Result<Argument> read_dict(element value) {
  ETALON_TRY(const object members, json::to_object(value, "dict"));
  DictArg out;
  for (const auto member : members) {
    ETALON_TRY(Argument item, decode_argument(member.value), member.key);
    out.items.emplace_back(std::string(member.key), std::move(item));
  }
  return Argument{std::move(out)};
}

struct MemberReader {
  std::string_view name;
  Result<Argument> (*read)(element);
};

constexpr MemberReader kMembers[] = {
    {"as_tensor", read_tensor},
    {"as_int", read_int},
    {"as_ints", read_list<IntsArg, std::int64_t, item_int>},
    {"as_none", read_none},
    {"as_bool", read_bool},
    {"as_float", read_float},
    {"as_tensors", read_list<TensorsArg, std::string, tensor_name>},
    {"as_sym_int", read_one<SymIntArg, sym_int>},
    {"as_sym_ints", read_list<SymIntsArg, SymIntArg, sym_int>},
    {"as_scalar_type", read_scalar_type},
    {"as_memory_format", read_memory_format},
    {"as_layout", read_layout},
    {"as_device", read_device},
    {"as_string", read_string},
    {"as_strings", read_list<StringsArg, std::string, item_text>},
    {"as_floats", read_list<FloatsArg, double, item_double>},
    {"as_bools", read_list<BoolsArg, std::uint8_t, item_bool>},
    {"as_sym_bool", read_one<SymBoolArg, sym_bool>},
    {"as_sym_bools", read_list<SymBoolsArg, SymBoolArg, sym_bool>},
    {"as_sym_float", read_one<SymFloatArg, sym_float>},
    {"as_sym_floats", read_list<SymFloatsArg, SymFloatArg, sym_float>},
    {"as_optional_tensor", read_optional_tensor},
    {"as_optional_tensors", read_list<OptionalTensorsArg, std::string, optional_tensor_name>},
    {"as_nested_tensors", read_lists<NestedTensorsArg, std::string, tensor_name>},
    {"as_int_lists", read_lists<IntListsArg, std::int64_t, item_int>},
    {"as_float_lists", read_lists<FloatListsArg, double, item_double>},
    {"as_complex", read_complex},
    {"as_custom_obj", read_custom_object},
    {"as_operator", read_operator},
    {"as_graph", read_graph},
    {"as_string_to_argument", read_dict},
};

}  // namespace

Result<Argument> decode_argument(element value) {
  ETALON_TRY(const json::Member member, json::active_member(value, "argument"));
  for (const MemberReader& reader : kMembers) {
    if (reader.name == member.name) return reader.read(member.value);
  }
  return unsupported(fmt::format("unknown kind of argument '{}'", member.name));
}

Result<SymInt> decode_sym_int(element value) {
  ETALON_TRY(const json::Member member, json::active_member(value, "size"));
  SymInt out;
  if (member.name == "as_int") {
    ETALON_TRY(out.value, json::to_int(member.value, "size"));
    return out;
  }
  if (member.name != "as_expr") return invalid_input(fmt::format("unknown kind of size '{}'", member.name));
  ETALON_TRY(const object expression, json::to_object(member.value, "as_expr"));
  ETALON_TRY(out.expr, json::require_text(expression, "expr_str"));
  if (out.expr.empty()) return invalid_input("a symbolic size has no expression");
  if (const auto hint = json::find(expression, "hint")) {
    ETALON_TRY(const json::Member number, json::active_member(*hint, "hint"));
    if (number.name == "as_int") {
      ETALON_TRY(out.hint, json::to_int(number.value, "hint"));
    }
  }
  return out;
}

Result<TensorMeta> decode_tensor_meta(element value) {
  ETALON_TRY(const object fields, json::to_object(value, "tensor metadata"));
  TensorMeta out;
  ETALON_TRY(const element dtype, json::require(fields, "dtype"));
  ETALON_TRY(out.dtype, enum_number(dtype, "dtype", c10_dtype));
  if (const auto layout = json::find(fields, "layout")) {
    ETALON_TRY(out.layout, enum_number(*layout, "layout", c10_layout));
  }
  ETALON_TRY(out.requires_grad, json::bool_or(fields, "requires_grad", false));
  ETALON_TRY(out.sizes, json::list_or_empty<SymInt>(fields, "sizes", decode_sym_int));
  ETALON_TRY(out.strides, json::list_or_empty<SymInt>(fields, "strides", decode_sym_int));
  if (const auto offset = json::find(fields, "storage_offset")) {
    ETALON_TRY(out.storage_offset, decode_sym_int(*offset), "storage_offset");
  }
  if (const auto device = json::find(fields, "device")) {
    ETALON_TRY(out.device, device_name(*device));
  }
  return out;
}

}  // namespace etalon::formats::pt2
