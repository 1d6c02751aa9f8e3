// Operators that give their argument back: dropout outside of training, detach, contiguous.
// Everything inside the graph is contiguous, so memory formats carry nothing.
#include "frontend/aten/rules.h"

namespace etalon::frontend {
namespace {

ValueIds same(Lowering&, const Args& a) { return {a.tensor(0)}; }

ValueIds dropout(Lowering&, const Args& a) {
  if (a.flag(2) && a.number(1) != 0)
    refuse("the model is in training mode; call model.eval() before torch.export.export");
  return {a.tensor(0)};
}

constexpr Rule kRows[] = {
    {"aten::dropout(Tensor input, float p, bool train) -> Tensor", dropout},
    {"aten::feature_dropout(Tensor input, float p, bool train) -> Tensor", dropout},
    {"aten::alpha_dropout(Tensor input, float p, bool train) -> Tensor", dropout},
    {"aten::feature_alpha_dropout(Tensor input, float p, bool train) -> Tensor", dropout},
    {"aten::contiguous(Tensor self, *, MemoryFormat memory_format=0) -> Tensor", same},
    {"aten::clone(Tensor self, *, MemoryFormat? memory_format=None) -> Tensor", same},
    {"aten::detach(Tensor self) -> Tensor", same},
    {"aten::detach_copy(Tensor self) -> Tensor", same},
    {"aten::alias(Tensor self) -> Tensor", same},
    {"aten::alias_copy(Tensor self) -> Tensor", same},
    {"aten::lift_fresh(Tensor self) -> Tensor", same},
    {"aten::lift_fresh_copy(Tensor self) -> Tensor", same},
    {"aten::lift(Tensor self) -> Tensor", same},
    {"aten::positive(Tensor self) -> Tensor", same},
    {"aten::real(Tensor self) -> Tensor", same},
    {"aten::conj(Tensor self) -> Tensor", same},
    {"aten::resolve_conj(Tensor self) -> Tensor", same},
    {"aten::resolve_neg(Tensor self) -> Tensor", same},
    {"aten::requires_grad_(Tensor self, bool requires_grad=True) -> Tensor", same},
    {"dim_order_ops::_clone_dim_order(Tensor self, *, bool non_blocking=False, int[]? dim_order=None) -> "
     "Tensor",
     same},
};

}  // namespace

constinit const RuleFamily kIdentityRules{kRows};

}  // namespace etalon::frontend
