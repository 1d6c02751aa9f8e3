// A C interface to the operator registry, so that a test driver in another language can call single operators.
//
//   const char* etalon_ops_list()           every operator: name, out_name, schema, aliases, argument names, traits,
//                                           tolerance, as a JSON array; valid for the life of the process
//   void* etalon_ops_call(request, inputs)  infers, allocates, runs; never null
//   const char* etalon_ops_json(result)     {"error": text, "where": "infer" | ...} or {"outs": [...]}
//   const void* etalon_ops_data(result, i)  the elements of tensor i of "outs"
//   void etalon_ops_free(result)
//
// A request is {"op": functional name, "args": [value, ...]} with one value per argument of the functional schema:
// null, {"int": n}, {"bool": b}, {"double": x or "inf", "-inf", "nan"}, {"string": s}, {"ints": [...]},
// {"bools": [...]}, {"doubles": [...]}, {"tensor": t}, {"tensors": [t or null, ...]}, where t is {"input": index into
// `inputs`, "dtype": c10 number, "sizes": [...], "order": [...]}. Inputs are copied, so that an operator that writes its
// argument leaves the caller's memory alone; the written argument is then the only output.
#include <cstring>
#include <deque>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "ops/registry.h"

namespace etalon::ops {
namespace {

using Json = nlohmann::json;

// Uninitialised memory is this byte, so that a kernel that forgets an element is seen.
constexpr std::byte kFiller{0xAB};
constexpr std::size_t kAlignment = 64;

// Tensors and lists of one call; deques because values point into them.
struct Storage {
  std::deque<std::vector<std::byte>> bytes;
  std::deque<TensorView> tensors;
  std::deque<std::vector<TensorView*>> tensor_lists;
  std::deque<std::vector<std::int64_t>> int_lists;
  std::deque<std::vector<double>> double_lists;
  std::deque<std::unique_ptr<bool[]>> bool_lists;
  std::deque<std::string> strings;

  std::byte* allocate(std::size_t size) {
    auto& block = bytes.emplace_back(size + kAlignment, kFiller);
    const std::size_t skew = reinterpret_cast<std::uintptr_t>(block.data()) % kAlignment;
    return block.data() + (skew == 0 ? 0 : kAlignment - skew);
  }
  TensorView* add_tensor(DType dtype, const Dims& sizes, const DimOrder& order) {
    tensors.emplace_back(dtype, sizes, order, nullptr);
    TensorView* view = &tensors.back();
    const std::size_t size = view->nbytes();
    view->bind(allocate(size), size);
    return view;
  }
};

struct CallResultHolder {
  std::string json;
  std::vector<const void*> data;
  Storage storage;
};

Dims dims_of(const Json& json) { return Dims(json.get<std::vector<std::int64_t>>()); }

DimOrder order_of(const Json& json) {
  DimOrder order;
  for (const Json& dim : json) order.push_back(dim.get<std::uint8_t>());
  return order;
}

TensorView* read_tensor(const Json& json, const void* const* inputs, Storage& storage) {
  if (json.is_null()) return nullptr;
  const auto dtype = dtype_from_number(json.at("dtype").get<std::int64_t>());
  if (!dtype) throw std::runtime_error("unknown dtype");
  TensorView* view = storage.add_tensor(*dtype, dims_of(json.at("sizes")), order_of(json.at("order")));
  if (view->nbytes() > 0) std::memcpy(view->data(), inputs[json.at("input").get<std::size_t>()], view->nbytes());
  return view;
}

double read_double(const Json& json) {
  if (json.is_number()) return json.get<double>();
  const auto text = json.get<std::string>();
  if (text == "nan") return std::numeric_limits<double>::quiet_NaN();
  return text == "-inf" ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity();
}

Value read_list(const std::string& kind, const Json& json, const void* const* inputs, Storage& storage) {
  if (kind == "ints") {
    return Value::of_ints(storage.int_lists.emplace_back(json.get<std::vector<std::int64_t>>()));
  }
  if (kind == "doubles") {
    auto& list = storage.double_lists.emplace_back();
    for (const Json& item : json) list.push_back(read_double(item));
    return Value::of_doubles(list);
  }
  if (kind == "bools") {
    auto& list = storage.bool_lists.emplace_back(std::make_unique<bool[]>(json.size()));
    for (std::size_t i = 0; i < json.size(); ++i) list[i] = json[i].get<bool>();
    return Value::of_bools({list.get(), json.size()});
  }
  auto& list = storage.tensor_lists.emplace_back();
  for (const Json& item : json) list.push_back(read_tensor(item, inputs, storage));
  return Value::of_tensors(list);
}

Value read_value(const Json& json, const void* const* inputs, Storage& storage) {
  if (json.is_null()) return {};
  const auto item = json.begin();
  const std::string& kind = item.key();
  if (kind == "int") return Value::of_int(item->get<std::int64_t>());
  if (kind == "bool") return Value::of_bool(item->get<bool>());
  if (kind == "double") return Value::of_double(read_double(*item));
  if (kind == "string") return Value::of_string(storage.strings.emplace_back(item->get<std::string>()));
  if (kind == "tensor") return Value::of_tensor(read_tensor(*item, inputs, storage));
  return read_list(kind, *item, inputs, storage);
}

// What infer reported, as tensors ready for the kernel.
class Outputs : public OutShapes {
 public:
  Outputs(const Op& op, Storage& storage) : op_(op), storage_(storage), tensors_(op.schema.returns.size()) {}

  Status set(std::size_t index, DType dtype, const Dims& sizes, const DimOrder* order) override {
    return place(index, 0, dtype, sizes, order ? *order : contiguous_order(sizes.size()));
  }
  Status set_list(std::size_t index, std::size_t count) override {
    at(index).resize(count);
    return {};
  }
  Status set_item(std::size_t index, std::size_t item, DType dtype, const Dims& sizes) override {
    return place(index, item, dtype, sizes, contiguous_order(sizes.size()));
  }

  // The values handed to the kernel. Operators that write their argument have it as their output.
  std::vector<Value> values(const std::vector<Value>& args) {
    std::vector<Value> values(tensors_.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (op_.has(kMutatesSelf)) values[i] = args[0];
      else if (op_.schema.returns[i] == ArgType::kTensorList) values[i] = Value::of_tensors(tensors_[i]);
      else if (!tensors_[i].empty()) values[i] = Value::of_tensor(tensors_[i][0]);
    }
    return values;
  }

 private:
  std::vector<TensorView*>& at(std::size_t index) {
    if (tensors_.size() <= index) tensors_.resize(index + 1);
    return tensors_[index];
  }
  Status place(std::size_t index, std::size_t item, DType dtype, const Dims& sizes, const DimOrder& order) {
    auto& list = at(index);
    if (list.size() <= item) list.resize(item + 1);
    list[item] = storage_.add_tensor(dtype, sizes, order);
    list[item]->set_resizable(op_.has(kDataDependent));
    return {};
  }

  const Op& op_;
  Storage& storage_;
  std::vector<std::vector<TensorView*>> tensors_;
};

Json describe(const TensorView& view, CallResultHolder& result) {
  result.data.push_back(view.data());
  Json sizes = Json::array();
  Json order = Json::array();
  for (std::size_t d = 0; d < view.rank(); ++d) {
    sizes.push_back(view.size(d));
    order.push_back(static_cast<int>(view.order()[d]));
  }
  return {{"tensor", result.data.size() - 1},
          {"dtype", static_cast<int>(view.dtype())},
          {"sizes", sizes},
          {"order", order}};
}

void describe(const Value& value, CallResultHolder& result, Json& outs) {
  switch (value.tag()) {
    case Value::Tag::kTensor: outs.push_back(describe(*value.as_tensor(), result)); break;
    case Value::Tag::kTensorList:
      for (const TensorView* view : value.as_tensors()) outs.push_back(describe(*view, result));
      break;
    case Value::Tag::kInt: outs.push_back({{"int", value.as_int()}}); break;
    case Value::Tag::kBool: outs.push_back({{"bool", value.as_bool()}}); break;
    case Value::Tag::kDouble: outs.push_back({{"double", value.as_double()}}); break;
    default: outs.push_back(nullptr); break;
  }
}

std::string failure(std::string_view where, std::string_view text) {
  return Json{{"where", where}, {"error", text}}.dump();
}

Status check_args(const Op& op, const std::vector<Value>& args) {
  for (std::size_t i = 0; i < args.size(); ++i) {
    const bool absent = args[i].is(Value::Tag::kNone);
    if (!absent) ETALON_CHECKED(check_arg(op.schema.args[i], args[i]));
  }
  return {};
}

std::string run(const Op& op, const std::vector<Value>& args, CallResultHolder& result) {
  if (args.size() != op.schema.args.size()) return failure("request", "wrong number of arguments");
  if (const Status checked = check_args(op, args); !checked.ok()) {
    return failure("arguments", checked.error().message());
  }
  std::vector<const Value*> arg_pointers;
  for (const Value& arg : args) arg_pointers.push_back(&arg);
  Outputs outputs(op, result.storage);
  if (const Status inferred = op.def->infer(Call(arg_pointers, {}), outputs); !inferred.ok()) {
    return failure("infer", inferred.error().message());
  }
  std::vector<Value> outs = outputs.values(args);
  std::vector<Value*> out_pointers;
  for (Value& out : outs) out_pointers.push_back(&out);
  const Call sized(arg_pointers, out_pointers);
  const std::size_t scratch_size = op.def->scratch ? op.def->scratch(sized) : 0;
  const Call call(arg_pointers, out_pointers, {result.storage.allocate(scratch_size), scratch_size});
  if (const Status done = op.def->kernel(call); !done.ok()) return failure("kernel", done.error().message());
  Json described = Json::array();
  for (const Value& out : outs) describe(out, result, described);
  return Json{{"outs", described}}.dump();
}

std::string run(const Json& request, const void* const* inputs, CallResultHolder& result) {
  const Op* op = find_op(request.at("op").get<std::string>());
  if (op == nullptr) return failure("request", "unknown operator");
  std::vector<Value> args;
  for (const Json& arg : request.at("args")) args.push_back(read_value(arg, inputs, result.storage));
  return run(*op, args, result);
}

std::string list_of_ops() {
  Json list = Json::array();
  for (const Op& op : all_ops()) {
    Json args = Json::array();
    for (const SchemaArg& arg : op.schema.args) args.push_back(arg.name);
    list.push_back({{"name", op.functional_name},
                    {"out_name", op.out_name},
                    {"schema", op.def->schema},
                    {"aliases", op.def->aliases},
                    {"args", args},
                    {"traits", op.def->traits},
                    {"random", op.has(kRandom)},
                    {"mutates_self", op.has(kMutatesSelf)},
                    {"prim", op.has(kPrim)},
                    {"rtol", op.def->tolerance.rtol},
                    {"atol", op.def->tolerance.atol}});
  }
  return list.dump();
}

}  // namespace
}  // namespace etalon::ops

extern "C" {

__attribute__((visibility("default"))) const char* etalon_ops_list() {
  static const std::string kList = etalon::ops::list_of_ops();
  return kList.c_str();
}

__attribute__((visibility("default"))) void* etalon_ops_call(const char* request, const void* const* inputs) {
  auto result = std::make_unique<etalon::ops::CallResultHolder>();
  try {
    result->json = etalon::ops::run(nlohmann::json::parse(request), inputs, *result);
  } catch (const std::exception& error) {
    result->json = etalon::ops::failure("request", error.what());
  }
  return result.release();
}

__attribute__((visibility("default"))) const char* etalon_ops_json(const void* result) {
  return static_cast<const etalon::ops::CallResultHolder*>(result)->json.c_str();
}

__attribute__((visibility("default"))) const void* etalon_ops_data(const void* result, std::size_t index) {
  return static_cast<const etalon::ops::CallResultHolder*>(result)->data.at(index);
}

__attribute__((visibility("default"))) void etalon_ops_free(void* result) {
  delete static_cast<etalon::ops::CallResultHolder*>(result);
}

}  // extern "C"
