// Operators that repeat elements along dims: expand, repeat.
#include <fmt/core.h>

#include "base/checked.h"
#include "ops/view_op.h"

namespace etalon::ops {
namespace {

Error bad_expand(const Dims& from, std::span<const std::int64_t> sizes) {
  return invalid_input(fmt::format("cannot expand {} to {}", to_string(from), to_string(Dims(sizes))));
}

Result<StridedView> expanded(const Call& call) {
  const StridedView view(call.tensor(0));
  const auto sizes = call.ints(1);
  if (sizes.size() > kMaxRank) return invalid_input(fmt::format("expand to {} dims, the limit is {}", sizes.size(), kMaxRank));
  if (sizes.size() < view.rank()) return bad_expand(view.sizes, sizes);
  Dims wanted(sizes);
  const std::size_t added = sizes.size() - view.rank();
  for (std::size_t d = 0; d < sizes.size(); ++d) {
    if (d < added) {
      if (sizes[d] < 0) return bad_expand(view.sizes, sizes);
      continue;
    }
    const std::int64_t size = view.sizes[d - added];
    if (sizes[d] == -1) wanted[d] = size;
    if (wanted[d] < 0 || (size != 1 && wanted[d] != size)) return bad_expand(view.sizes, sizes);
  }
  return view.broadcast_to(wanted);
}

Status infer_repeat(const Call& call, OutShapes& outs) {
  const Dims& from = call.tensor(0).sizes();
  const auto repeats = call.ints(1);
  if (repeats.size() > kMaxRank) return invalid_input(fmt::format("repeat to {} dims, the limit is {}", repeats.size(), kMaxRank));
  if (repeats.size() < from.size()) {
    return invalid_input(fmt::format("repeat of {} wants a count for each dim, found {}", to_string(from), to_string(Dims(repeats))));
  }
  Dims sizes(repeats);
  const std::size_t added = repeats.size() - from.size();
  for (std::size_t d = 0; d < sizes.size(); ++d) {
    const auto product = checked_mul(repeats[d], d < added ? std::int64_t{1} : from[d - added]);
    if (repeats[d] < 0 || !product) return invalid_input(fmt::format("repeat {} times along dim {}", repeats[d], d));
    sizes[d] = *product;
  }
  ETALON_TRY(const Dims valid, make_dims(sizes.span()));
  return outs.set(0, call.tensor(0).dtype(), valid);
}

// Each repeated dim of the output becomes two, [count, size], and the source stands still along the first.
Status repeat_kernel(const Call& call) {
  StridedView src(call.tensor(0));
  StridedView dst(call.out());
  if (dst.numel() == 0) return {};
  const auto repeats = call.ints(1);
  while (src.rank() < repeats.size()) src = with_dim(src, 0, 1, 0);
  for (std::size_t d = repeats.size(); d-- > 0;) {
    if (repeats[d] == 1) continue;
    if (src.sizes[d] == 1) {
      src.sizes[d] = repeats[d];
      src.strides[d] = 0;
      continue;
    }
    if (dst.rank() == kMaxRank) return unsupported(fmt::format("repeat along so many dims of {}", to_string(call.tensor(0).sizes())));
    dst = with_dim_split(dst, d, src.sizes[d]);
    src = with_dim(src, d, repeats[d], 0);
  }
  copy_cast(src, dst);
  return {};
}

constexpr OpDef kRows[] = {
    {.schema = "aten::expand_copy(Tensor self, SymInt[] size, *, bool implicit=False) -> Tensor",
     .out_name = "aten::expand_copy.out",
     .infer = infer_view<expanded>,
     .kernel = copy_view<expanded>,
     .aliases = "aten::expand"},
    {.schema = "aten::repeat(Tensor self, SymInt[] repeats) -> Tensor",
     .out_name = "aten::repeat.out",
     .infer = infer_repeat,
     .kernel = repeat_kernel},
};

}  // namespace

extern constinit const OpFamily kExpandOps{kRows};

}  // namespace etalon::ops
