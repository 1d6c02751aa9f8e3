// Changes of dtype. Devices and memory formats carry nothing: programs run on one CPU, contiguous inside.
#include "frontend/aten/rules.h"

namespace etalon::frontend {
namespace {

ValueIds to_argument(Lowering& lo, const Args& a, std::size_t at) {
  return {lo.cast(a.tensor(0), a.dtype_or(at, lo.dtype(a.tensor(0))))};
}
ValueIds to_first(Lowering& lo, const Args& a) { return to_argument(lo, a, 1); }
ValueIds to_second(Lowering& lo, const Args& a) { return to_argument(lo, a, 2); }
ValueIds to_other(Lowering& lo, const Args& a) { return {lo.cast(a.tensor(0), lo.dtype(a.tensor(1)))}; }
ValueIds same(Lowering&, const Args& a) { return {a.tensor(0)}; }

constexpr Rule kRows[] = {
    {"aten::to.dtype(Tensor self, ScalarType dtype, bool non_blocking=False, bool copy=False, MemoryFormat? "
     "memory_format=None) "
     "-> Tensor",
     to_first},
    {"aten::to.dtype_layout(Tensor self, *, ScalarType? dtype=None, Layout? layout=None, Device? "
     "device=None, "
     "bool? pin_memory=None, bool non_blocking=False, bool copy=False, MemoryFormat? memory_format=None) -> "
     "Tensor",
     to_first},
    {"aten::to.device(Tensor self, Device device, ScalarType dtype, bool non_blocking=False, bool "
     "copy=False, "
     "MemoryFormat? memory_format=None) -> Tensor",
     to_second},
    {"aten::to.other(Tensor self, Tensor other, bool non_blocking=False, bool copy=False, MemoryFormat? "
     "memory_format=None) "
     "-> Tensor",
     to_other},
    {"aten::to.prim_Device(Tensor self, Device? device, int? dtype=None, bool non_blocking=False, bool "
     "copy=False) -> Tensor",
     to_second},
    {"aten::to.prim_dtype(Tensor self, int? dtype=None, bool non_blocking=False, bool copy=False) -> Tensor",
     to_first},
    {"aten::to.prim_other(Tensor self, bool non_blocking=False, bool copy=False) -> Tensor", same},
    {"aten::_to_copy(Tensor self, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? "
     "pin_memory=None, "
     "bool non_blocking=False, MemoryFormat? memory_format=None) -> Tensor",
     to_first},
    {"aten::type_as(Tensor self, Tensor other) -> Tensor", to_other},
    {"dim_order_ops::_to_dim_order_copy(Tensor self, *, ScalarType? dtype=None, Layout? layout=None, Device? "
     "device=None, "
     "bool? pin_memory=None, bool non_blocking=False, int[]? dim_order=None) -> Tensor",
     to_first},
};

}  // namespace

constinit const RuleFamily kCastRules{kRows};

}  // namespace etalon::frontend
