// PayloadBuilder's part for int8: second names of tensors, and what can be computed under them.
#include <algorithm>
#include <cmath>
#include <limits>

#include "backends/xnnpack/aot/payload_builder.h"

namespace etalon::xnnpack {
namespace {

// The number that a limit becomes.
double stored(double limit, const Affine& affine) {
  return std::clamp(std::nearbyint(limit / affine.scale) + affine.zero_point, -128.0, 127.0);
}

// Operators whose lowerings read and define what moved() gives.
bool only_moves(const ir::Node& node) {
  constexpr std::string_view kMoving[] = {
      "aten::permute_copy",      "aten::transpose_copy.int", "aten::t_copy",     "aten::clone",
      "aten::slice_copy.Tensor", "aten::select_copy.int",    "aten::narrow_copy"};
  return node.op->has(ops::kSameElements) ||
         std::ranges::find(kMoving, std::string_view(node.op->functional_name)) != std::end(kMoving);
}

}  // namespace

// Int8 tensors of the graph get their scale from the nodes beside them.
void PayloadBuilder::find_affines() {
  for (const ir::Node& node : graph_.nodes) {
    if (!is_quantise(node) && !is_dequantise(node)) continue;
    if (refuse_affine(graph_, node)) continue;
    affines_.emplace(is_quantise(node) ? node.outs[0] : std::get<ValueId>(node.args[0]), affine_of(node));
  }
}

const ir::TensorType& PayloadBuilder::type(ValueId id) const {
  return is_own(id) ? own_types_[ir::index_of(id) - graph_.values.size()] : graph_[id].tensor();
}

Storage PayloadBuilder::storage(ValueId id) const {
  const auto found = affines_.find(id);
  return found == affines_.end() ? Storage(type(id).dtype) : Storage(DType::kInt8, found->second);
}

ValueId PayloadBuilder::held(ValueId id) const { return is_own(id) ? ir::kNoValue : held_[ir::index_of(id)]; }

void PayloadBuilder::hold(ValueId id, ValueId source) {
  held_[ir::index_of(id)] = source;
  // Whoever asks who else sees the payload value must hear of this tensor too.
  for (const Rep& rep : reps_of(source)) tensors_of_[rep.id].push_back(id);
}

ValueId PayloadBuilder::new_int8(ValueId id, Affine affine) {
  const ValueId made{static_cast<std::uint32_t>(reps_.size())};
  ir::TensorType own = type(id);
  own.dtype = DType::kInt8;
  own_types_.push_back(std::move(own));
  reps_.emplace_back();
  uses_.push_back(uses(id));
  last_user_.push_back(last_user_[ir::index_of(id)]);
  affines_[made] = affine;
  return made;
}

ValueId PayloadBuilder::hold_new(ValueId id, Affine affine) {
  return held_[ir::index_of(id)] = new_int8(id, affine);
}

PayloadBuilder::Moved PayloadBuilder::moved(ValueId in, ValueId out) {
  const ValueId source = held(in);
  if (source == ir::kNoValue) return {in, out};
  return {source, hold_new(out, affines_.at(source))};
}

PayloadBuilder::Moved PayloadBuilder::averaged(ValueId in, ValueId out) {
  const ValueId source = held(in);
  const auto result = source == ir::kNoValue ? std::nullopt : quantised_result(out, false);
  if (!result) return {in, out};
  if (type(in).is_dynamic()) {
    note_float("its size is dynamic, and XNNPACK's int8 averages are wrong once sizes change between runs");
    return {in, out};
  }
  const float factor = affines_.at(source).scale / result->affine.scale;
  if (!(factor >= 0x1p-8f && factor < 0x1p8f)) return {in, out};  // what XNNPACK accepts
  return {source, hold_result(out, *result)};
}

// XNNPACK makes one table of a Convert, a function of one number and a Convert back, if nobody else sees what
// is between.
bool PayloadBuilder::becomes_table(ValueId id) const {
  const ir::Node* function = sole_user(id);
  if (function == nullptr || function->outs.size() != 1) return false;
  std::size_t tensors = 0;
  for (const ir::Arg& arg : function->args) {
    ir::for_each_value(arg,
                       [&](ValueId input) { tensors += fixed_constant(graph_, input) == nullptr ? 1 : 0; });
  }
  const ir::Node* next = sole_user(function->outs[0]);
  return tensors == 1 && next != nullptr && is_quantise(*next);
}

Rep PayloadBuilder::dequantised(ValueId id, const Rep& from) {
  Rep rep{xnn::kNoValue, from.order, from.dims};
  std::uint32_t& shared = floats_of_[{from.id, type(id).dtype}];
  const bool is_own = becomes_table(id);
  if (!is_own && shared != 0) {
    rep.id = shared - 1;
    define(id, rep);
    return rep;
  }
  rep.id = temporary(from.dims, storage(id));
  if (!is_own) shared = rep.id + 1;
  define(id, rep);
  emit(xnn::NodeType::kConvert, {from.id}, rep.id);
  return rep;
}

std::optional<PayloadBuilder::Result> PayloadBuilder::quantised_result(ValueId out, bool with_limits) const {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  Result result{{}, {-kInfinity, kInfinity}, {}};
  while (const ir::Node* user = sole_user(out)) {
    if (is_quantise(*user)) {
      result.affine = affines_.at(user->outs[0]);
      const bool leaves_numbers =
          stored(result.limits.min, result.affine) < stored(result.limits.max, result.affine);
      return leaves_numbers ? std::optional(std::move(result)) : std::nullopt;
    }
    if (const auto limits = with_limits ? limits_of(graph_, *user) : std::nullopt) {
      result.limits = {std::clamp(result.limits.min, limits->min, limits->max),
                       std::clamp(result.limits.max, limits->min, limits->max)};
      result.limited_by.push_back(user);
    } else if (!only_moves(*user) || user->outs.size() != 1) {
      return std::nullopt;
    }
    out = user->outs[0];
  }
  return std::nullopt;
}

ValueId PayloadBuilder::hold_result(ValueId out, const Result& result) {
  taken_.insert(result.limited_by.begin(), result.limited_by.end());
  return hold_new(out, result.affine);
}

void PayloadBuilder::pass_on(const ir::Node& node) {
  const auto [in, out] = moved(std::get<ValueId>(node.args[0]), node.outs[0]);
  define(out, natural(in));
}

void PayloadBuilder::note_float(std::string why) { float_notes_.push_back({current_, std::move(why)}); }

std::uint32_t PayloadBuilder::dynamic_rows(std::uint32_t from, const Shape& dims, std::int32_t nonbatch_dims,
                                           DynamicReader reader) {
  const auto [known, is_new] = dynamic_.emplace(std::tuple(from, nonbatch_dims, reader), 0);
  if (!is_new) return known->second;
  const std::uint32_t made = known->second = temporary(dims, DType::kFloat32);
  xnn::Value& value = payload_.graph.values[made];
  value.type = xnn::DataType::kQdint8;
  value.quantization = xnn::PerTokenDynamicQuant{nonbatch_dims};
  emit(xnn::NodeType::kConvert, {from}, made);
  return made;
}

}  // namespace etalon::xnnpack
