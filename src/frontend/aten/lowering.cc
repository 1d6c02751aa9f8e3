#include "frontend/aten/lowering.h"

#include <fmt/core.h>

#include <cstring>

#include "frontend/aten/rules.h"

namespace etalon::frontend {
namespace {

constexpr std::string_view kRunTimeNumber =
    "takes a number that is only known at run time, which is not supported here";

bool is_integer_item(const IntItem& item) { return item.symbol == ir::kNoValue; }

}  // namespace

bool Args::has(std::size_t i) const {
  if (i >= args_.size() || std::holds_alternative<std::monostate>(args_[i])) return false;
  const auto* id = std::get_if<ValueId>(&args_[i]);
  return id == nullptr || *id != ir::kNoValue;
}

bool Args::is_number(std::size_t i) const {
  return std::holds_alternative<std::int64_t>(args_[i]) || std::holds_alternative<double>(args_[i]) ||
         std::holds_alternative<bool>(args_[i]);
}

ValueId Args::tensor(std::size_t i) const {
  const auto* id = std::get_if<ValueId>(&args_[i]);
  if (id == nullptr || *id == ir::kNoValue) refuse_input(fmt::format("argument {} is not a tensor", i));
  return *id;
}

const ValueIds& Args::tensors(std::size_t i) const {
  const auto* ids = std::get_if<ValueIds>(&args_[i]);
  if (ids == nullptr) refuse_input(fmt::format("argument {} is not a list of tensors", i));
  return *ids;
}

std::int64_t Args::integer(std::size_t i) const {
  if (const auto* v = std::get_if<std::int64_t>(&args_[i])) return *v;
  if (const auto* v = std::get_if<bool>(&args_[i])) return *v ? 1 : 0;
  if (const auto* v = std::get_if<double>(&args_[i])) return static_cast<std::int64_t>(*v);
  if (std::holds_alternative<ValueId>(args_[i])) refuse(std::string(kRunTimeNumber));
  refuse_input(fmt::format("argument {} is not an integer", i));
}

double Args::number(std::size_t i) const {
  if (const auto* v = std::get_if<double>(&args_[i])) return *v;
  return static_cast<double>(integer(i));
}

bool Args::flag(std::size_t i) const {
  if (!has(i)) return false;
  return integer(i) != 0;
}

const std::string& Args::text(std::size_t i) const {
  const auto* text = std::get_if<std::string>(&args_[i]);
  if (text == nullptr) refuse_input(fmt::format("argument {} is not a string", i));
  return *text;
}

IntItem Args::item(std::size_t i) const {
  if (const auto* id = std::get_if<ValueId>(&args_[i]); id != nullptr && *id != ir::kNoValue) return {0, *id};
  return {integer(i), ir::kNoValue};
}

const IntItems& Args::items(std::size_t i) const {
  static const IntItems kEmpty;
  if (!has(i)) return kEmpty;
  const auto* items = std::get_if<IntItems>(&args_[i]);
  if (items == nullptr) refuse_input(fmt::format("argument {} is not a list of integers", i));
  return *items;
}

Ints Args::ints(std::size_t i) const {
  Ints out;
  for (const IntItem& item : items(i)) {
    if (!is_integer_item(item)) refuse(std::string(kRunTimeNumber));
    out.push_back(item.value);
  }
  return out;
}

std::vector<double> Args::doubles(std::size_t i) const {
  if (!has(i)) return {};
  if (const auto* values = std::get_if<std::vector<double>>(&args_[i])) return *values;
  std::vector<double> out;
  for (const std::int64_t value : ints(i)) out.push_back(static_cast<double>(value));
  return out;
}

DType Args::dtype_or(std::size_t i, DType fallback) const {
  if (!has(i)) return fallback;
  const auto dtype = dtype_from_number(integer(i));
  if (!dtype) refuse(fmt::format("dtype number {} is not supported", integer(i)));
  return *dtype;
}

std::size_t Lowering::dim(ValueId id, std::int64_t dim) const {
  const auto wrapped = wrap_dim(dim, rank(id));
  if (!wrapped) refuse_input(fmt::format("dim {} is outside a tensor of rank {}", dim, rank(id)));
  return *wrapped;
}

std::int64_t Lowering::static_size(ValueId id, std::size_t dim) const {
  const TensorType& tensor = type(id);
  if (dim >= tensor.sizes.size())
    refuse_input(fmt::format("a tensor of rank {} has no dim {}", tensor.sizes.size(), dim));
  if (tensor.is_dynamic(dim))
    refuse(fmt::format("dim {} of its argument is dynamic, which is not supported here", dim));
  return tensor.sizes[dim];
}

ValueIds Lowering::lower_list(std::string_view name, std::vector<Arg> args) {
  const Target target = find_target(name);
  if (!target) refuse(fmt::format("operator {} is not known", name));
  return take(lower(builder_, target, std::move(args)));
}

ValueId Lowering::constant(const std::vector<float>& values, const Dims& sizes, DType dtype) {
  std::vector<std::byte> bytes(values.size() * sizeof(float));
  std::memcpy(bytes.data(), values.data(), bytes.size());
  const std::string name = fmt::format("_table_{}", graph().values.size());
  const ValueId id = graph().add_constant(
      {name, TensorType::of(DType::kFloat32, sizes), ir::Data::owned(std::move(bytes)), false, false});
  return cast(id, dtype);
}

ValueId Lowering::cast(ValueId x, DType wanted) {
  if (dtype(x) == wanted) return x;
  return op("dim_order_ops::_to_dim_order_copy", x, wanted);
}

ValueId Lowering::wrapped(const Arg& number, ValueId other) {
  const DType beside = dtype(other);
  if (const auto* v = std::get_if<bool>(&number)) return scalar(*v ? 1 : 0, DType::kBool);
  if (const auto* v = std::get_if<std::int64_t>(&number)) {
    return builder_.int_tensor(std::span(v, 1), {}, beside == DType::kBool ? DType::kInt64 : beside);
  }
  if (const auto* v = std::get_if<double>(&number))
    return scalar(*v, is_floating(beside) ? beside : DType::kFloat32);
  if (const auto* id = std::get_if<ValueId>(&number);
      id && *id != ir::kNoValue && !graph()[*id].is_tensor()) {
    const bool is_float = graph()[*id].number().kind == ir::NumberType::Kind::kFloat;
    const DType own = is_float ? DType::kFloat32 : DType::kInt64;
    return op("aten::scalar_tensor", *id,
              is_floating(beside) || is_float == is_floating(beside) ? beside : own);
  }
  refuse_input("wants a tensor or a number");
}

ValueId Lowering::permute(ValueId x, const Ints& dims) {
  bool same = true;
  for (std::size_t i = 0; i < dims.size(); ++i) same = same && dim(x, dims[i]) == i;
  return same && dims.size() == rank(x) ? x : op("aten::permute_copy", x, dims);
}

ValueId Lowering::transpose(ValueId x, std::int64_t a, std::int64_t b) {
  Ints dims;
  for (std::size_t i = 0; i < rank(x); ++i) dims.push_back(static_cast<std::int64_t>(i));
  if (dims.empty()) return x;
  std::swap(dims[dim(x, a)], dims[dim(x, b)]);
  return permute(x, dims);
}

ValueId Lowering::unsqueeze(ValueId x, std::int64_t at) { return op("aten::unsqueeze_copy", x, at); }

ValueId Lowering::squeeze(ValueId x, std::int64_t at) {
  if (rank(x) == 0) return x;
  const std::size_t wrapped_dim = dim(x, at);
  const TensorType& tensor = type(x);
  if (tensor.is_dynamic(wrapped_dim) || tensor.sizes[wrapped_dim] != 1) return x;
  return op("aten::squeeze_copy.dims", x, Ints{at});
}

ValueId Lowering::view(ValueId x, const IntItems& sizes) {
  const TensorType& tensor = type(x);
  bool same = sizes.size() == tensor.sizes.size();
  for (std::size_t i = 0; same && i < sizes.size(); ++i) {
    same = is_integer_item(sizes[i]) && !tensor.is_dynamic(i) && sizes[i].value == tensor.sizes[i];
  }
  return same ? x : op("aten::view_copy", x, sizes);
}

ValueId Lowering::reshape(ValueId x, const Sizes& wanted) {
  std::size_t dynamic = 0;
  const auto is_dynamic = [&](const SizeOf& s) {
    return s.tensor != ir::kNoValue && type(s.tensor).is_dynamic(static_cast<std::size_t>(s.value));
  };
  for (const SizeOf& size : wanted)
    dynamic += is_dynamic(size) || (size.tensor == ir::kNoValue && size.value < 0) ? 1 : 0;
  IntItems items;
  for (const SizeOf& size : wanted) {
    if (size.tensor == ir::kNoValue) {
      items.push_back({size.value, ir::kNoValue});
    } else if (is_dynamic(size) && dynamic == 1) {
      items.push_back({-1, ir::kNoValue});  // one unknown size follows from the others
    } else {
      items.push_back(this->size(size.tensor, static_cast<std::size_t>(size.value)));
    }
  }
  return view(x, items);
}

Sizes Lowering::sizes_of(ValueId x) const {
  Sizes out;
  for (std::size_t i = 0; i < rank(x); ++i) out.push_back({x, static_cast<std::int64_t>(i)});
  return out;
}

ValueId Lowering::expand(ValueId x, const IntItems& sizes) {
  const TensorType& tensor = type(x);
  bool same = sizes.size() == tensor.sizes.size();
  for (std::size_t i = 0; same && i < sizes.size(); ++i) {
    const bool kept = is_integer_item(sizes[i]) && sizes[i].value == -1;
    same = kept || (is_integer_item(sizes[i]) && !tensor.is_dynamic(i) && sizes[i].value == tensor.sizes[i]);
  }
  return same ? x : op("aten::expand_copy", x, sizes);
}

ValueId Lowering::slice(ValueId x, std::int64_t at, std::int64_t start, std::int64_t end, std::int64_t step) {
  const std::size_t d = dim(x, at);
  if (start == 0 && step == 1 && !type(x).is_dynamic(d) && end >= type(x).sizes[d]) return x;
  return op("aten::slice_copy.Tensor", x, d, start, end, step);
}

ValueId Lowering::select(ValueId x, std::int64_t at, std::int64_t index) {
  return op("aten::select_copy.int", x, at, index);
}

ValueId Lowering::cat(const ValueIds& parts, std::int64_t at) {
  return parts.size() == 1 ? parts[0] : op("aten::cat", parts, at);
}

IntItem Lowering::product(std::span<const IntItem> items) {
  IntItem out{1, ir::kNoValue};
  for (const IntItem& item : items) out = multiply(out, item);
  return out;
}

std::int64_t Lowering::bound(const IntItem& item) const {
  if (is_integer_item(item)) return item.value;
  return static_cast<std::int64_t>(builder_.graph()[item.symbol].number().max);
}

IntItem Lowering::combine(std::string_view prim, const IntItem& a, const IntItem& b) {
  if (is_integer_item(a) && is_integer_item(b)) {
    std::int64_t out = 0;
    const bool overflow =
        prim == "executorch_prim::mul.Scalar"   ? __builtin_mul_overflow(a.value, b.value, &out)
        : prim == "executorch_prim::add.Scalar" ? __builtin_add_overflow(a.value, b.value, &out)
                                                : __builtin_sub_overflow(a.value, b.value, &out);
    if (overflow) refuse_input("a size overflows");
    return {out, ir::kNoValue};
  }
  const bool is_mul = prim == "executorch_prim::mul.Scalar";
  if (is_mul && is_integer_item(a) && a.value == 1) return b;
  if (is_mul && is_integer_item(b) && b.value == 1) return a;
  return {0, op(prim, a, b)};
}

}  // namespace etalon::frontend
