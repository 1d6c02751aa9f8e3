#include "formats/pt2/pickle.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <optional>
#include <unordered_map>

#include "fmt/format.h"
#include "formats/pt2/strided.h"

namespace etalon::formats::pt2 {
namespace {

using Id = std::uint32_t;  // index into Machine::nodes_

constexpr std::size_t kMaxArguments = 16;
constexpr std::size_t kMaxRank = 64;

struct Global {
  std::string name;  // "torch._utils _rebuild_tensor_v2"
};
struct Storage {
  std::int8_t dtype = -1;  // -1: untyped, the tensor brings its own
  Bytes bytes;
};
struct Sequence {
  bool is_tuple = false;
  std::vector<Id> items;
};
struct Dict {
  std::vector<Id> keys;
  std::vector<Id> values;
};
using Node = std::variant<PyNone, bool, std::int64_t, double, std::string, SavedTensor, Global, Storage,
                          Sequence, Dict>;

struct NamedType {
  std::string_view name;
  std::int8_t dtype;  // c10 number
};
constexpr NamedType kStorageTypes[] = {
    {"ByteStorage", 0},     {"CharStorage", 1},         {"ShortStorage", 2},          {"IntStorage", 3},
    {"LongStorage", 4},     {"HalfStorage", 5},         {"FloatStorage", 6},          {"DoubleStorage", 7},
    {"BoolStorage", 11},    {"ComplexFloatStorage", 9}, {"ComplexDoubleStorage", 10}, {"BFloat16Storage", 15},
    {"UntypedStorage", -1},
};
constexpr NamedType kDTypes[] = {
    {"uint8", 0},
    {"int8", 1},
    {"int16", 2},
    {"int32", 3},
    {"int64", 4},
    {"float16", 5},
    {"float32", 6},
    {"float64", 7},
    {"complex64", 9},
    {"complex128", 10},
    {"bool", 11},
    {"bfloat16", 15},
    {"uint16", 27},
    {"uint32", 28},
    {"uint64", 29},
    {"float8_e5m2", 23},
    {"float8_e4m3fn", 24},
    {"float8_e5m2fnuz", 25},
    {"float8_e4m3fnuz", 26},
};

std::optional<std::int8_t> find_type(std::span<const NamedType> table, std::string_view name) {
  for (const NamedType& type : table) {
    if (type.name == name) return type.dtype;
  }
  return std::nullopt;
}

std::string_view last_word(std::string_view name) { return name.substr(name.rfind(' ') + 1); }

// Lists may be referred to many times, so what they unfold to is limited by the size of the text.
class TreeBuilder {
 public:
  TreeBuilder(const std::vector<Node>& nodes, std::size_t text_size)
      : nodes_(nodes), budget_(text_size * 16 + 1024) {}

  Result<PyValue> build(Id id, int depth = 0) {
    constexpr int kMaxDepth = 64;
    if (depth > kMaxDepth) return resource_error(fmt::format("nested more than {} deep", kMaxDepth));
    ETALON_CHECKED(spend(1));
    const Node& node = nodes_[id];
    if (const auto* sequence = std::get_if<Sequence>(&node)) return build_sequence(*sequence, depth);
    if (const auto* dict = std::get_if<Dict>(&node)) return build_dict(*dict, depth);
    PyValue out;
    ETALON_TRY(out.leaf, leaf(node));
    return out;
  }

 private:
  Result<PyValue> build_sequence(const Sequence& sequence, int depth) {
    PyValue out;
    out.kind = sequence.is_tuple ? PyValue::Kind::kTuple : PyValue::Kind::kList;
    for (const Id item : sequence.items) {
      ETALON_TRY(PyValue value, build(item, depth + 1));
      out.items.push_back(std::move(value));
    }
    return out;
  }
  Result<PyValue> build_dict(const Dict& dict, int depth) {
    PyValue out;
    out.kind = PyValue::Kind::kDict;
    for (std::size_t i = 0; i < dict.keys.size(); ++i) {
      ETALON_TRY(PyLeaf key, leaf(nodes_[dict.keys[i]]), "dict key");
      ETALON_TRY(PyValue value, build(dict.values[i], depth + 1));
      out.keys.push_back(std::move(key));
      out.items.push_back(std::move(value));
    }
    return out;
  }
  Result<PyLeaf> leaf(const Node& node) {
    if (const auto* text = std::get_if<std::string>(&node)) {
      ETALON_CHECKED(spend(text->size()));
      return PyLeaf(*text);
    }
    if (const auto* tensor = std::get_if<SavedTensor>(&node)) {
      ETALON_CHECKED(spend(tensor->sizes.size() * 16));
      return PyLeaf(*tensor);
    }
    if (const auto* value = std::get_if<bool>(&node)) return PyLeaf(*value);
    if (const auto* value = std::get_if<std::int64_t>(&node)) return PyLeaf(*value);
    if (const auto* value = std::get_if<double>(&node)) return PyLeaf(*value);
    if (std::holds_alternative<PyNone>(node)) return PyLeaf(PyNone{});
    if (const auto* global = std::get_if<Global>(&node)) {
      return unsupported(fmt::format("pickled Python object '{}'", global->name));
    }
    return unsupported("a pickled object that is not a plain value");
  }
  Status spend(std::size_t count) {
    if (count > budget_) return resource_error("the pickle refers to its own parts too often");
    budget_ -= count;
    return {};
  }

  const std::vector<Node>& nodes_;
  std::size_t budget_;
};

class Machine {
 public:
  Machine(Bytes text, const StorageSource& storages) : text_(text), storages_(storages) {}

  Result<PyValue> run() {
    while (!stopped_) {
      const std::size_t at = at_;
      ETALON_TRY(const auto opcode, next<std::uint8_t>());
      ETALON_CHECKED(step(opcode), fmt::format("pickle byte {}", at));
    }
    if (stack_.empty()) return invalid_input("the pickle ends without a value");
    return TreeBuilder(nodes_, text_.size()).build(stack_.back());
  }

 private:
  template <class T>
  Result<T> next() {
    const auto value = read_le<T>(text_, at_);
    if (!value) return invalid_input("the pickle is cut off");
    at_ += sizeof(T);
    return *value;
  }
  Result<std::string_view> take(std::uint64_t count) {
    const auto part = slice(text_, at_, count);
    if (!part) return invalid_input("the pickle is cut off");
    at_ += part->size();
    return as_text(*part);
  }
  Result<std::string_view> take_line() {
    const std::string_view rest = as_text(text_.subspan(at_));
    const std::size_t end = rest.find('\n');
    if (end == std::string_view::npos) return invalid_input("the pickle is cut off");
    at_ += end + 1;
    return rest.substr(0, end);
  }

  Status push(Node node) {
    nodes_.push_back(std::move(node));
    stack_.push_back(static_cast<Id>(nodes_.size() - 1));
    return {};
  }
  std::size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }
  Result<Id> pop() {
    if (stack_.size() <= floor()) return invalid_input("the stack is empty");
    const Id out = stack_.back();
    stack_.pop_back();
    return out;
  }
  Result<Id> top() const {
    if (stack_.size() <= floor()) return invalid_input("the stack is empty");
    return stack_.back();
  }
  Result<std::vector<Id>> pop_to_mark() {
    if (marks_.empty()) return invalid_input("there is no mark");
    const auto begin = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
    std::vector<Id> out(begin, stack_.end());
    stack_.erase(begin, stack_.end());
    marks_.pop_back();
    return out;
  }

  template <class T>
  Result<T*> as(Id id, std::string_view wanted) {
    if (auto* out = std::get_if<T>(&nodes_[id])) return out;
    return invalid_input(fmt::format("found another kind of value, want {}", wanted));
  }

  Status step(std::uint8_t opcode) {
    switch (opcode) {
      case 0x80:
        return drop(next<std::uint8_t>());  // PROTO
      case '.':
        stopped_ = true;
        return {};
      case '(':
        marks_.push_back(stack_.size());
        return {};
      case 'N':
        return push(PyNone{});
      case 0x88:
        return push(true);
      case 0x89:
        return push(false);
      case '}':
        return push(Dict{});
      case ']':
        return push(Sequence{false, {}});
      case ')':
        return push(Sequence{true, {}});
      case 'J':
        return push_int(next<std::int32_t>());
      case 'K':
        return push_int(next<std::uint8_t>());
      case 'M':
        return push_int(next<std::uint16_t>());
      case 0x8a:
        return push_long();
      case 'G':
        return push_float();
      case 'X':
        return push_text(next<std::uint32_t>());
      case 'c':
        return push_global();
      case 't':
        return push_tuple();
      case 0x85:
        return push_small_tuple(1);
      case 0x86:
        return push_small_tuple(2);
      case 0x87:
        return push_small_tuple(3);
      case 'q':
        return put(next<std::uint8_t>());
      case 'r':
        return put(next<std::uint32_t>());
      case 'h':
        return get(next<std::uint8_t>());
      case 'j':
        return get(next<std::uint32_t>());
      case 'a':
        return append_one();
      case 'e':
        return append_many();
      case 's':
        return set_one();
      case 'u':
        return set_many();
      case 'Q':
        return load_storage();
      case 'R':
        return reduce();
      case 'b':
        return build();
      default:
        return unsupported(fmt::format("opcode {:#04x}", opcode));
    }
  }

  template <class T>
  static Status drop(Result<T> value) {
    return value.ok() ? Status() : Status(value.take_error());
  }
  template <class T>
  Status push_int(Result<T> value) {
    if (!value.ok()) return value.take_error();
    return push(static_cast<std::int64_t>(*value));
  }
  Status push_long() {
    ETALON_TRY(const auto length, next<std::uint8_t>());
    ETALON_TRY(const auto digits, take(length));
    if (length > 8) return unsupported(fmt::format("an integer of {} bytes", length));
    const bool negative = length > 0 && (static_cast<std::uint8_t>(digits.back()) & 0x80) != 0;
    std::int64_t value = negative ? -1 : 0;
    std::memcpy(&value, digits.data(), digits.size());
    return push(value);
  }
  Status push_float() {  // the only big-endian number
    ETALON_TRY(const auto bits, next<std::uint64_t>());
    return push(std::bit_cast<double>(__builtin_bswap64(bits)));
  }
  Status push_text(Result<std::uint32_t> length) {
    if (!length.ok()) return length.take_error();
    ETALON_TRY(const auto text, take(*length));
    return push(std::string(text));
  }
  Status push_global() {
    ETALON_TRY(const auto module, take_line());
    ETALON_TRY(const auto name, take_line());
    return push(Global{fmt::format("{} {}", module, name)});
  }
  Status push_tuple() {
    ETALON_TRY(auto items, pop_to_mark());
    return push(Sequence{true, std::move(items)});
  }
  Status push_small_tuple(std::size_t count) {
    std::vector<Id> items(count);
    for (std::size_t i = count; i-- > 0;) {
      ETALON_TRY(items[i], pop());
    }
    return push(Sequence{true, std::move(items)});
  }

  template <class T>
  Status put(Result<T> key) {
    if (!key.ok()) return key.take_error();
    ETALON_TRY(memo_[*key], top());
    return {};
  }
  template <class T>
  Status get(Result<T> key) {
    if (!key.ok()) return key.take_error();
    const auto it = memo_.find(*key);
    if (it == memo_.end()) return invalid_input(fmt::format("nothing was remembered as {}", *key));
    stack_.push_back(it->second);
    return {};
  }

  Status append_to_top(const std::vector<Id>& items) {
    ETALON_TRY(const Id id, top());
    ETALON_TRY(Sequence* const list, as<Sequence>(id, "a list"));
    if (list->is_tuple) return invalid_input("found a tuple, want a list");
    list->items.insert(list->items.end(), items.begin(), items.end());
    return {};
  }
  Status append_one() {
    ETALON_TRY(const Id item, pop());
    return append_to_top({item});
  }
  Status append_many() {
    ETALON_TRY(const auto items, pop_to_mark());
    return append_to_top(items);
  }

  Status set_in_top(const std::vector<Id>& pairs) {
    if (pairs.size() % 2 != 0) return invalid_input("a dict key has no value");
    ETALON_TRY(const Id id, top());
    ETALON_TRY(Dict* const dict, as<Dict>(id, "a dict"));
    for (std::size_t i = 0; i < pairs.size(); i += 2) {
      dict->keys.push_back(pairs[i]);
      dict->values.push_back(pairs[i + 1]);
    }
    return {};
  }
  Status set_one() {
    ETALON_TRY(const Id value, pop());
    ETALON_TRY(const Id key, pop());
    return set_in_top({key, value});
  }
  Status set_many() {
    ETALON_TRY(const auto pairs, pop_to_mark());
    return set_in_top(pairs);
  }

  // ('storage', type, key, location, size)
  Status load_storage() {
    ETALON_TRY(const Id id, pop());
    ETALON_TRY(const Sequence* const parts, as<Sequence>(id, "a persistent id"));
    if (parts->items.size() < 3) return invalid_input("short persistent id");
    ETALON_TRY(const Global* const type, as<Global>(parts->items[1], "a storage type"));
    ETALON_TRY(const std::string* const key, as<std::string>(parts->items[2], "a storage key"));
    const auto dtype = find_type(kStorageTypes, last_word(type->name));
    if (!dtype) return unsupported(fmt::format("storage type '{}'", type->name));
    Storage out{*dtype, {}};
    ETALON_TRY(out.bytes, storages_(*key));
    return push(out);
  }

  Result<std::vector<std::int64_t>> integers(Id id) {
    ETALON_TRY(const Sequence* const list, as<Sequence>(id, "a tuple of integers"));
    if (list->items.size() > kMaxRank)
      return unsupported(fmt::format("a tensor of rank {}", list->items.size()));
    std::vector<std::int64_t> out;
    for (const Id item : list->items) {
      ETALON_TRY(const std::int64_t* const value, as<std::int64_t>(item, "an integer"));
      out.push_back(*value);
    }
    return out;
  }

  // (storage, offset, sizes, strides, requires_grad, hooks[, dtype, metadata])
  Status rebuild_tensor(const std::vector<Id>& args, bool has_dtype) {
    if (args.size() < (has_dtype ? 7U : 5U)) return invalid_input("too few arguments for a tensor");
    ETALON_TRY(const Storage* const storage, as<Storage>(args[0], "a storage"));
    ETALON_TRY(const std::int64_t* const offset, as<std::int64_t>(args[1], "an offset"));
    SavedTensor out;
    out.dtype = storage->dtype;
    out.storage = storage->bytes;
    out.storage_offset = *offset;
    ETALON_TRY(out.sizes, integers(args[2]));
    ETALON_TRY(out.strides, integers(args[3]));
    ETALON_TRY(const bool* const requires_grad, as<bool>(args[4], "a bool"));
    out.requires_grad = *requires_grad;
    if (has_dtype) {
      ETALON_TRY(const Global* const name, as<Global>(args[6], "a dtype"));
      const auto dtype = find_type(kDTypes, last_word(name->name));
      if (!dtype) return unsupported(fmt::format("dtype '{}'", name->name));
      out.dtype = *dtype;
    }
    ETALON_TRY(const std::uint64_t needed,
               needed_storage({out.dtype, out.sizes, out.strides, out.storage_offset}));
    if (needed > out.storage.size() && !out.storage.empty()) {
      return invalid_input(
          fmt::format("a tensor wants {} bytes of a storage of {}", needed, out.storage.size()));
    }
    return push(std::move(out));
  }

  // (tensor, requires_grad, hooks[, state])
  Status rebuild_parameter(const std::vector<Id>& args) {
    if (args.size() < 2) return invalid_input("too few arguments for a parameter");
    ETALON_TRY(const SavedTensor* const tensor, as<SavedTensor>(args[0], "a tensor"));
    ETALON_TRY(const bool* const requires_grad, as<bool>(args[1], "a bool"));
    SavedTensor out = *tensor;
    out.is_param = true;
    out.requires_grad = *requires_grad;
    return push(std::move(out));
  }

  Status reduce() {
    ETALON_TRY(const Id args_id, pop());
    ETALON_TRY(const Id callee_id, pop());
    ETALON_TRY(const Global* const callee, as<Global>(callee_id, "a constructor"));
    ETALON_TRY(const Sequence* const list, as<Sequence>(args_id, "arguments"));
    if (list->items.size() > kMaxArguments)
      return unsupported(fmt::format("a call with {} arguments", list->items.size()));
    const std::string name = callee->name;  // nodes_ may move below
    const std::vector<Id> args = list->items;
    if (name == "torch._utils _rebuild_tensor_v2") return rebuild_tensor(args, false);
    if (name == "torch._utils _rebuild_tensor_v3") return rebuild_tensor(args, true);
    if (name == "torch._utils _rebuild_parameter") return rebuild_parameter(args);
    if (name == "torch._utils _rebuild_parameter_with_state") return rebuild_parameter(args);
    if (name == "collections OrderedDict" && args.empty()) return push(Dict{});
    if (name == "torch Size" && args.size() == 1) {
      ETALON_TRY([[maybe_unused]] const Sequence* const sizes, as<Sequence>(args[0], "a tuple"));
      stack_.push_back(args[0]);
      return {};
    }
    return unsupported(fmt::format("pickled Python object '{}'", name));
  }

  // Attributes set on an OrderedDict (state dicts carry _metadata) mean nothing to us.
  Status build() {
    ETALON_TRY([[maybe_unused]] const Id state, pop());
    ETALON_TRY(const Id id, top());
    ETALON_TRY([[maybe_unused]] const Dict* const dict, as<Dict>(id, "a dict"));
    return {};
  }

  Bytes text_;
  const StorageSource& storages_;
  std::size_t at_ = 0;
  bool stopped_ = false;
  std::vector<Node> nodes_;
  std::vector<Id> stack_;
  std::vector<std::size_t> marks_;
  std::unordered_map<std::uint32_t, Id> memo_;
};

}  // namespace

Result<PyValue> unpickle(Bytes text, const StorageSource& storages) { return Machine(text, storages).run(); }

}  // namespace etalon::formats::pt2
