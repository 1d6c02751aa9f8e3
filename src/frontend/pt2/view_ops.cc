#include "frontend/pt2/view_ops.h"

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

namespace etalon::frontend {
namespace pt2 = formats::pt2;
namespace {

constexpr std::string_view kViews[] = {
    "aten::view",
    "aten::select.int",
    "aten::slice.Tensor",
    "aten::transpose.int",
    "aten::swapaxes",
    "aten::swapdims",
    "aten::t",
    "aten::mT",
    "aten::numpy_T",
    "aten::permute",
    "aten::unsqueeze",
    "aten::squeeze",
    "aten::squeeze.dim",
    "aten::squeeze.dims",
    "aten::expand",
    "aten::expand_as",
    "aten::broadcast_to",
    "aten::view_as",
    "aten::narrow",
    "aten::chunk",
    "aten::split.Tensor",
    "aten::split.sizes",
    "aten::split_with_sizes",
    "aten::unbind.int",
    "aten::tensor_split.sections",
    "aten::tensor_split.indices",
    "aten::unflatten.int",
    "aten::movedim.int",
    "aten::movedim.intlist",
    "aten::moveaxis.int",
    "aten::moveaxis.intlist",
    "aten::diagonal",
    "aten::unfold",
    "aten::as_strided",
    "aten::_reshape_alias",
    "aten::detach",
    "aten::alias",
    "aten::lift_fresh",
    "aten::positive",
    "aten::real",
    "aten::conj",
    "aten::resolve_conj",
    "aten::resolve_neg",
    "aten::dropout",
    "aten::feature_dropout",
    "aten::alpha_dropout",
    "aten::feature_alpha_dropout",
    "aten::requires_grad_",
    "aten::atleast_1d",
    "aten::view.dtype",
};
constexpr std::string_view kReshapes[] = {"aten::reshape", "aten::reshape_as", "aten::flatten.using_ints",
                                          "aten::ravel"};
constexpr std::string_view kConversions[] = {
    "aten::contiguous",    "aten::to.dtype",      "aten::to.dtype_layout",
    "aten::to.device",     "aten::to.other",      "aten::to.prim_Device",
    "aten::to.prim_dtype", "aten::to.prim_other", "aten::type_as"};
constexpr std::string_view kInPlaceViews[] = {"aten::squeeze_",   "aten::squeeze_.dim", "aten::squeeze_.dims",
                                              "aten::unsqueeze_", "aten::transpose_",   "aten::t_",
                                              "aten::swapaxes_",  "aten::swapdims_",    "aten::detach_"};

template <std::size_t N>
bool contains(const std::string_view (&names)[N], std::string_view name) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

std::optional<std::vector<std::int64_t>> values(const std::vector<pt2::SymInt>& items,
                                                const Symbols& symbols) {
  std::vector<std::int64_t> out;
  for (const pt2::SymInt& item : items) {
    const auto pair = symbols.evaluate(item);
    if (!pair.ok()) return std::nullopt;
    out.push_back(pair->max);
  }
  return out;
}

// Whether elements at these strides can be looked at in other sizes without a copy
// (at::detail::computeStride): each run of dims that lies dense in memory must be cut by the new sizes on its
// own.
bool is_viewable(const std::vector<std::int64_t>& sizes, const std::vector<std::int64_t>& strides,
                 const std::vector<std::int64_t>& wanted) {
  if (sizes.empty()) return true;
  auto view = static_cast<std::ptrdiff_t>(wanted.size()) - 1;
  std::int64_t run = 1;
  std::int64_t covered = 1;
  for (std::size_t i = sizes.size(); i-- > 0;) {
    run *= sizes[i];
    const bool ends = i == 0 || (sizes[i - 1] != 1 && strides[i - 1] != strides[i] * sizes[i]);
    if (!ends) continue;
    while (view >= 0 && (covered < run || wanted[static_cast<std::size_t>(view)] == 1))
      covered *= wanted[static_cast<std::size_t>(view--)];
    if (covered != run) return false;
    run = covered = 1;
  }
  return view == -1;
}

}  // namespace

bool shares_memory(std::string_view name, const pt2::TensorMeta* input, const pt2::TensorMeta* output,
                   const Symbols& symbols) {
  if (contains(kViews, name)) return true;
  const bool reshapes = contains(kReshapes, name);
  if (input == nullptr || output == nullptr || (!reshapes && !contains(kConversions, name))) return false;
  const auto sizes = values(input->sizes, symbols);
  const auto strides = values(input->strides, symbols);
  const auto out_sizes = values(output->sizes, symbols);
  const auto out_strides = values(output->strides, symbols);
  if (!sizes || !strides || !out_sizes || !out_strides || sizes->size() != strides->size()) return false;
  if (reshapes) return is_viewable(*sizes, *strides, *out_sizes);
  return input->dtype == output->dtype && *strides == *out_strides;
}

bool is_in_place_view(std::string_view name) { return contains(kInPlaceViews, name); }

}  // namespace etalon::frontend
