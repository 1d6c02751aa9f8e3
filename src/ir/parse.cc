#include <fmt/core.h>

#include <cctype>
#include <charconv>
#include <cstring>
#include <unordered_map>

#include "ir/text.h"
#include "ops/dispatch.h"

namespace etalon::ir {
namespace {

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<Graph> run() {
    ETALON_CHECKED(expect("graph"));
    graph_.method = std::string(word());
    ETALON_CHECKED(expect("{"));
    while (!accept("}")) ETALON_CHECKED(statement());
    skip_space();
    if (pos_ != text_.size()) return error("the end");
    return std::move(graph_);
  }

 private:
  void skip_space() {
    while (pos_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[pos_]))) ++pos_;
  }
  bool peek(std::string_view token) {
    skip_space();
    return text_.substr(pos_).starts_with(token);
  }
  bool accept(std::string_view token) {
    if (!peek(token)) return false;
    pos_ += token.size();
    return true;
  }
  Status expect(std::string_view token) {
    if (!accept(token)) return error(token);
    return {};
  }
  Error error(std::string_view wanted) const {
    const auto line = 1 + std::count(text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(pos_), '\n');
    return invalid_input(fmt::format("graph text, line {}: found '{}', want {}", line, text_.substr(pos_, 12), wanted));
  }
  std::string_view word() {
    skip_space();
    const std::size_t start = pos_;
    while (pos_ < text_.size() && (std::isalnum(static_cast<unsigned char>(text_[pos_])) || std::strchr("_.:", text_[pos_]) != nullptr)) ++pos_;
    return text_.substr(start, pos_ - start);
  }
  // Value names may hold anything but the characters that end them.
  std::string_view name() {
    const std::size_t start = pos_;
    while (pos_ < text_.size() && !std::isspace(static_cast<unsigned char>(text_[pos_])) && std::strchr(":,)]=", text_[pos_]) == nullptr) ++pos_;
    return text_.substr(start, pos_ - start);
  }
  template <class T>
  Result<T> number() {
    skip_space();
    T value{};
    const auto [end, code] = std::from_chars(text_.data() + pos_, text_.data() + text_.size(), value);
    if (code != std::errc()) return error("a number");
    pos_ = static_cast<std::size_t>(end - text_.data());
    return value;
  }

  Result<ValueId> known() {
    ETALON_CHECKED(expect("%"));
    const std::string id(name());
    const auto found = names_.find(id);
    if (found == names_.end()) return error("a value that is defined, not %" + id);
    return found->second;
  }

  Status statement() {
    if (accept("input ")) return input();
    if (accept("constant ")) return constant();
    if (accept("update ")) return update();
    if (accept("return")) return returned();
    return node();
  }

  Result<std::string> new_name() {
    ETALON_CHECKED(expect("%"));
    std::string id(name());
    if (id.empty() || names_.contains(id)) return error("a new name");
    ETALON_CHECKED(expect(":"));
    return id;
  }

  Status input() {
    ETALON_TRY(std::string id, new_name());
    ETALON_TRY(Type parsed, type());
    names_[id] = graph_.add_input(id, std::move(parsed));
    return {};
  }

  Status constant() {
    ETALON_TRY(std::string id, new_name());
    ETALON_TRY(Type parsed, type());
    if (!std::holds_alternative<TensorType>(parsed)) return error("a tensor type");
    Constant made;
    made.name = id;
    made.type = std::get<TensorType>(parsed);
    made.is_parameter = accept("parameter");
    made.is_state = accept("state");
    const std::int64_t needed = made.type.nbytes();
    if (needed > constant_bytes_left_) return error("constants of at most 256 MiB in all");
    constant_bytes_left_ -= needed;
    std::vector<std::byte> bytes(static_cast<std::size_t>(needed));
    if (accept("=")) ETALON_CHECKED(elements(made.type, bytes));
    made.data = Data::owned(std::move(bytes));
    names_[id] = graph_.add_constant(std::move(made));
    return {};
  }

  Status elements(const TensorType& of, std::vector<std::byte>& bytes) {
    ETALON_CHECKED(expect("{"));
    const std::size_t size = size_of(of.dtype);
    for (std::size_t at = 0; !accept("}"); at += size) {
      if (at > 0) ETALON_CHECKED(expect(","));
      ETALON_TRY(const double value, number<double>());
      if (at + size > bytes.size()) return error("no more elements");
      ETALON_CHECKED(ops::visit_dtype(of.dtype, [&](auto tag) -> Status {
        using T = typename decltype(tag)::type;
        const T element = ops::Scalar(value).as<T>();
        std::memcpy(bytes.data() + at, &element, sizeof(T));
        return {};
      }));
    }
    return {};
  }

  Result<Type> type() {
    const std::string_view kind = word();
    if (accept("(")) return number_type(kind);
    const auto dtype = dtype_from_name(kind);
    if (!dtype) return error("a dtype");
    ETALON_CHECKED(expect("["));
    std::vector<std::int64_t> sizes;
    std::vector<std::int64_t> probe;
    while (!accept("]")) {
      if (!sizes.empty()) ETALON_CHECKED(expect(","));
      ETALON_TRY(const std::int64_t size, number<std::int64_t>());
      sizes.push_back(size);
      probe.push_back(size);
      if (accept("~")) {
        ETALON_TRY(probe.back(), number<std::int64_t>());
      }
    }
    TensorType made;
    made.dtype = *dtype;
    ETALON_TRY(made.sizes, make_dims(sizes));
    ETALON_TRY(made.probe, make_dims(probe));
    made.order = contiguous_order(sizes.size());
    if (accept("{")) ETALON_CHECKED(order(made));
    return Type{made};
  }

  Status order(TensorType& made) {
    for (std::size_t i = 0; i < made.sizes.size(); ++i) {
      if (i > 0) ETALON_CHECKED(expect(","));
      ETALON_TRY(const int dim, number<int>());
      made.order[i] = static_cast<std::uint8_t>(dim);
    }
    ETALON_CHECKED(expect("}"));
    if (!is_permutation(made.order)) return error("a permutation");
    return {};
  }

  Result<Type> number_type(std::string_view kind) {
    NumberType made;
    if (kind == "float") made.kind = NumberType::Kind::kFloat;
    if (kind == "bool") made.kind = NumberType::Kind::kBool;
    ETALON_TRY(made.max, number<double>());
    made.probe = made.max;
    if (accept("~")) {
      ETALON_TRY(made.probe, number<double>());
    }
    ETALON_CHECKED(expect(")"));
    return Type{made};
  }

  Result<Arg> arg() {
    if (accept("None")) return Arg{};
    if (accept("true")) return Arg{true};
    if (accept("false")) return Arg{false};
    if (peek("\"")) return string();
    if (peek("%")) {
      ETALON_TRY(const ValueId id, known());
      return Arg{id};
    }
    if (accept("f[")) return list<double>([&] { return number<double>(); });
    if (accept("b[")) return list<bool>([&]() -> Result<bool> { return accept("true") || !accept("false"); });
    if (accept("t[")) return list<ValueId>([&]() -> Result<ValueId> { return accept("None") ? Result<ValueId>(kNoValue) : known(); });
    if (accept("[")) return list<IntItem>([&] { return int_item(); });
    return literal();
  }

  Result<IntItem> int_item() {
    if (peek("%")) {
      ETALON_TRY(const ValueId id, known());
      return IntItem{0, id};
    }
    ETALON_TRY(const std::int64_t value, number<std::int64_t>());
    return IntItem{value, kNoValue};
  }

  template <class T, class Each>
  Result<Arg> list(Each&& each) {
    std::vector<T> items;
    while (!accept("]")) {
      if (!items.empty()) ETALON_CHECKED(expect(","));
      ETALON_TRY(const T item, each());
      items.push_back(item);
    }
    return Arg{std::move(items)};
  }

  Result<Arg> literal() {
    skip_space();
    const std::size_t start = pos_;
    ETALON_TRY(const double value, number<double>());
    const std::string_view token = text_.substr(start, pos_ - start);
    if (token.find_first_of(".en") != std::string_view::npos) return Arg{value};
    pos_ = start;
    ETALON_TRY(const std::int64_t integer, number<std::int64_t>());
    return Arg{integer};
  }

  Result<Arg> string() {
    ETALON_CHECKED(expect("\""));
    std::string out;
    while (pos_ < text_.size() && text_[pos_] != '"') {
      if (text_[pos_] == '\\' && pos_ + 1 < text_.size()) {
        ++pos_;
        out += text_[pos_] == 'n' ? '\n' : text_[pos_];
      } else {
        out += text_[pos_];
      }
      ++pos_;
    }
    ETALON_CHECKED(expect("\""));
    return Arg{std::move(out)};
  }

  Status node() {
    std::vector<std::pair<std::string, Type>> outs;
    do {
      ETALON_TRY(std::string id, new_name());
      ETALON_TRY(Type parsed, type());
      outs.emplace_back(std::move(id), std::move(parsed));
    } while (accept(","));
    ETALON_CHECKED(expect("="));
    Node made;
    const std::string_view op_name = word();
    made.op = op_name == call_delegate_op().functional_name ? &call_delegate_op() : ops::find_op(op_name);
    if (made.op == nullptr) return error("a known operator before this place");
    ETALON_CHECKED(expect("("));
    while (!accept(")")) {
      if (!made.args.empty()) ETALON_CHECKED(expect(","));
      ETALON_TRY(Arg parsed, arg());
      made.args.push_back(std::move(parsed));
    }
    if (is_delegate_call(*made.op)) ETALON_CHECKED(delegate(made, outs));
    for (auto& [id, parsed] : outs) {
      made.outs.push_back(graph_.add_value(id, std::move(parsed), NodeId(graph_.nodes.size())));
      names_[id] = made.outs.back();
    }
    graph_.nodes.push_back(std::move(made));
    return {};
  }

  // The lines behind a call of a delegate. Calls stand in the order of the delegates, each with its own.
  Status delegate(const Node& call, const std::vector<std::pair<std::string, Type>>& outs) {
    const auto* index = call.args.size() == 2 ? std::get_if<std::int64_t>(&call.args[0]) : nullptr;
    if (index == nullptr || !std::holds_alternative<ValueIds>(call.args[1])) return error("a delegate's number and inputs before this place");
    if (*index != static_cast<std::int64_t>(graph_.delegates.size())) return error("delegates numbered in order of their calls");
    Delegate made;
    for (const auto& [id, type] : outs) made.out_types.push_back(type);
    if (accept("|")) made.backend = std::string(word());
    while (accept("|")) {
      const std::size_t end = std::min(text_.find('\n', pos_), text_.size());
      std::string_view text = text_.substr(pos_, end - pos_);
      text.remove_prefix(std::min<std::size_t>(3, text.size()));
      made.listing += std::string(text) + "\n";
      pos_ = end;
    }
    graph_.delegates.push_back(std::move(made));
    return {};
  }

  Status update() {
    ETALON_TRY(const ValueId state, known());
    if (graph_[state].source != ValueSource::kConstant) return error("a constant to update");
    ETALON_CHECKED(expect("="));
    ETALON_TRY(Arg value, arg());
    graph_.outputs.push_back({Output::Kind::kStateUpdate, std::move(value), ConstantId{graph_[state].source_index}});
    return {};
  }

  Status returned() {
    if (peek("}")) return {};
    do {
      ETALON_TRY(Arg value, arg());
      graph_.outputs.push_back({Output::Kind::kUser, std::move(value), {}});
    } while (accept(","));
    return {};
  }

  std::string_view text_;
  std::size_t pos_ = 0;
  Graph graph_;
  std::unordered_map<std::string, ValueId> names_;
  std::int64_t constant_bytes_left_ = std::int64_t{1} << 28;  // a line asks for any size
};

}  // namespace

Result<Graph> parse(std::string_view text) { return Parser(text).run(); }

}  // namespace etalon::ir
