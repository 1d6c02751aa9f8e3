#include "frontend/pt2/sym_ops.h"

#include <fmt/core.h>

#include <algorithm>

namespace etalon::frontend {
namespace {

struct Row {
  std::string_view target;
  std::string_view prim;
};
constexpr Row kRows[] = {
    {"_operator.add", "executorch_prim::add.Scalar"},
    {"_operator.sub", "executorch_prim::sub.Scalar"},
    {"_operator.mul", "executorch_prim::mul.Scalar"},
    {"_operator.floordiv", "executorch_prim::floordiv.Scalar"},
    {"_operator.truediv", "executorch_prim::truediv.Scalar"},
    {"_operator.mod", "executorch_prim::mod.Scalar"},
    {"_operator.neg", "executorch_prim::neg.Scalar"},
    {"_operator.eq", "executorch_prim::eq.Scalar"},
    {"_operator.gt", "executorch_prim::gt.Scalar"},
    {"_operator.lt", "executorch_prim::lt.Scalar"},
    {"_operator.ge", "executorch_prim::ge.Scalar"},
    {"_operator.le", "executorch_prim::le.Scalar"},
    {"torch.sym_max", "executorch_prim::sym_max.Scalar"},
    {"torch.sym_min", "executorch_prim::sym_min.Scalar"},
    {"torch.sym_float", "executorch_prim::sym_float.Scalar"},
    {"torch.sym_int", "executorch_prim::sym_int.Scalar"},
    {"torch.sym_not", "executorch_prim::sym_not.Scalar"},
    {"torch.sym_ite", "executorch_prim::sym_ite.Scalar"},
    {"math.ceil", "executorch_prim::ceil.Scalar"},
    {"math.trunc", "executorch_prim::trunc.Scalar"},
    {"builtins.round", "executorch_prim::round.Scalar"},
    {"round", "executorch_prim::round.Scalar"},
    {"aten::item", "aten::_local_scalar_dense"},
    {"aten::_local_scalar_dense", "aten::_local_scalar_dense"},
    {"aten::sym_numel", "aten::sym_numel"},
    {"aten::numel", "aten::sym_numel"},
};

Result<ir::Arg> size_of_dim(ir::Builder& builder, const std::vector<ir::Arg>& args) {
  const auto* tensor = args.size() == 2 ? std::get_if<ir::ValueId>(&args[0]) : nullptr;
  const auto* dim = args.size() == 2 ? std::get_if<std::int64_t>(&args[1]) : nullptr;
  if (tensor == nullptr || dim == nullptr || !builder.graph()[*tensor].is_tensor()) {
    return invalid_input("sym_size wants a tensor and a dim");
  }
  const std::size_t rank = builder.type(*tensor).sizes.size();
  const auto wrapped = wrap_dim(*dim, rank);
  if (!wrapped || rank == 0)
    return invalid_input(fmt::format("dim {} is outside a tensor of rank {}", *dim, rank));
  ETALON_TRY(const ir::IntItem item, builder.size_item(*tensor, *wrapped));
  return item.symbol == ir::kNoValue ? ir::Arg{item.value} : ir::Arg{item.symbol};
}

}  // namespace

Result<ir::Arg> compute_number(ir::Builder& builder, std::string_view target, std::vector<ir::Arg> args) {
  if (target == "aten::sym_size.int" || target == "aten::size.int") return size_of_dim(builder, args);
  if (target == "math.floor" && args.size() == 1) {
    args.push_back(std::int64_t{1});
    target = "_operator.floordiv";
  }
  const auto* row =
      std::find_if(std::begin(kRows), std::end(kRows), [&](const Row& r) { return r.target == target; });
  if (row == std::end(kRows)) return unsupported(std::string(target));
  ETALON_TRY(const ir::ValueId value, builder.call(row->prim, std::move(args)));
  return ir::Arg{value};
}

}  // namespace etalon::frontend
