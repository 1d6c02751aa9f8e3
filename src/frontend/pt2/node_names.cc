#include "frontend/pt2/node_names.h"

namespace etalon::frontend {

std::string functional_name(std::string_view target) {
  constexpr std::string_view kPrefix = "torch.ops.";
  if (!target.starts_with(kPrefix)) return std::string(target);
  std::string_view rest = target.substr(kPrefix.size());
  const std::size_t dot = rest.find('.');
  if (dot == std::string_view::npos) return std::string(target);
  std::string out(rest.substr(0, dot));
  std::string_view op = rest.substr(dot + 1);
  if (op.ends_with(".default")) op.remove_suffix(std::string_view(".default").size());
  return out.append("::").append(op);
}

bool is_check(std::string_view name) {
  return name.starts_with("aten::_assert") || name.starts_with("aten::sym_constrain_range") ||
         name == "aten::_check_is_size" || name == "torch.ops.profiler" || name.starts_with("profiler::") ||
         name == "torch._check" || name == "torch._check_is_size";
}

std::string without_underscore(std::string_view name) {
  const std::size_t dot = name.find('.');
  const std::string_view base = name.substr(0, dot);
  if (!base.ends_with('_') || base.ends_with("__")) return {};
  // The one pair whose overloads differ.
  if (name == "aten::transpose_") return "aten::transpose.int";
  std::string out(base.substr(0, base.size() - 1));
  if (dot != std::string_view::npos) out += name.substr(dot);
  return out;
}

}  // namespace etalon::frontend
