// The operators that ExecuTorch's stock runtime registers: a program that uses any of them must find its
// kernel.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "ops/registry.h"

namespace etalon::ops {
namespace {

// Names without their namespace, separated by spaces.
constexpr std::string_view kAten =
    "_adaptive_avg_pool2d.out _cdist_forward.out _conj_physical.out _log_softmax.out "
    "_native_batch_norm_legit.out _native_batch_norm_legit.no_stats_out "
    "_native_batch_norm_legit_no_training.out _pdist_forward.out _softmax.out _to_copy.out abs.out "
    "acos.out acosh.out add.out add.Scalar_out addmm.out alias_copy.out amax.out amin.out any.all_out "
    "any.dims_out any.out arange.out arange.start_out argmax.out argmin.out as_strided_copy.out "
    "asin.out asinh.out atan.out atan2.out atanh.out avg_pool2d.out bitwise_and.Scalar_out "
    "bitwise_and.Tensor_out bitwise_not.out bitwise_or.Scalar_out bitwise_or.Tensor_out "
    "bitwise_xor.Scalar_out bitwise_xor.Tensor_out bmm.out cat.out ceil.out clamp.out "
    "clamp.Tensor_out clone.out constant_pad_nd.out convolution.out convolution_backward.out copy.out "
    "copy_ cos.out cosh.out cumsum.out detach_copy.out diagonal_copy.out div.out div.Scalar_mode_out "
    "div.Scalar_out div.out_mode embedding.out empty.out eq.Scalar_out eq.Tensor_out elu.out erf.out "
    "exp.out expand_copy.out expm1.out fill.Scalar_out fill.Tensor_out flip.out floor.out "
    "floor_divide.out fmod.Tensor_out fmod.Scalar_out full.out full_like.out gather.out ge.Scalar_out "
    "ge.Tensor_out gelu.out glu.out grid_sampler_2d.out gt.Scalar_out gt.Tensor_out hardtanh.out "
    "index.Tensor_out index_put.out index_put_ index_select.out isinf.out isnan.out le.Scalar_out "
    "le.Tensor_out leaky_relu.out lift_fresh_copy.out log.out log10.out log1p.out log2.out "
    "logical_and.out logical_not.out logical_or.out logical_xor.out logit.out lt.Scalar_out "
    "lt.Tensor_out masked_fill.Scalar_out masked_scatter.out masked_select.out max.dim_max "
    "max.unary_out maximum.out max_pool2d_with_indices.out "
    "max_pool2d_with_indices_backward.grad_input mean.out mean.dtype_out min.dim_min min.unary_out "
    "minimum.out mm.out mul.out mul.Scalar_out narrow_copy.out native_dropout.out "
    "native_group_norm.out native_layer_norm.out ne.Scalar_out ne.Tensor_out neg.out nonzero.out "
    "ones.out permute_copy.out pixel_shuffle.out pixel_unshuffle.out pow.Scalar_out "
    "pow.Tensor_Scalar_out pow.Tensor_Tensor_out prod.int_out prod.out rand.out randn.out "
    "reciprocal.out relu.out remainder.Tensor_out remainder.Scalar_out repeat.out "
    "repeat_interleave.Tensor_out reflection_pad1d.out reflection_pad2d.out reflection_pad3d.out "
    "replication_pad1d.out replication_pad2d.out replication_pad3d.out roll.out round.out rsqrt.out "
    "rsub.Scalar_out scalar_tensor.out scatter.src_out scatter.value_out scatter_add.out "
    "select_copy.int_out select_scatter.out sigmoid.out sign.out sin.out sinh.out "
    "slice_copy.Tensor_out slice_scatter.out split_copy.Tensor_out split_with_sizes_copy.out sqrt.out "
    "squeeze_copy.dim_out squeeze_copy.dims_out stack.out sub.out sub.Scalar_out sum.IntList_out "
    "t_copy.out tan.out tanh.out topk.values transpose_copy.int_out tril.out trunc.out "
    "unbind_copy.int_out unfold_copy.out unsqueeze_copy.out upsample_bilinear2d.vec_out "
    "_upsample_bilinear2d_aa.out upsample_nearest2d.vec_out var.correction_out "
    "var_mean.correction_out var.out view_as_real_copy.out view_copy.out where.self_out zeros.out "
    "linear.out _fft_r2c.out _fft_c2r.out bitwise_left_shift.Tensor_out "
    "bitwise_left_shift.Tensor_Scalar_out bitwise_right_shift.Tensor_out "
    "bitwise_right_shift.Tensor_Scalar_out";

constexpr std::string_view kAtenPrims = "sym_size.int _local_scalar_dense sym_numel";

constexpr std::string_view kPrims =
    "add.Scalar sub.Scalar mul.Scalar floordiv.Scalar truediv.Scalar mod.Scalar eq.Scalar gt.Scalar "
    "lt.Scalar ge.Scalar le.Scalar neg.Scalar ceil.Scalar round.Scalar trunc.Scalar sym_max.Scalar "
    "sym_min.Scalar sym_float.Scalar sym_int.Scalar sym_not.Scalar sym_ite.Scalar floordiv.int "
    "mod.int et_copy_index.tensor et_view.default";

constexpr std::string_view kDimOrder = "_empty_dim_order.out _to_dim_order_copy.out _clone_dim_order.out";

constexpr std::string_view kCopies = "_h2d_copy.out _d2h_copy.out";

constexpr std::string_view kQuantized =
    "add.out choose_qparams.Tensor_out choose_qparams_per_token_asymmetric.out "
    "quantize_per_tensor.out quantize_per_tensor.Tensor_out dequantize_per_tensor.out "
    "dequantize_per_tensor.Tensor_out quantize_per_channel.out dequantize_per_channel.out "
    "quantize_per_token.out dequantize_per_token.out embedding_byte.out embedding_byte.dtype_out "
    "embedding_2bit.out embedding_2bit.dtype_out embedding_4bit.out embedding_4bit.dtype_out "
    "mixed_linear.out mixed_mm.out";

struct Namespace {
  std::string_view name;
  std::string_view operators;
};
constexpr Namespace kNamespaces[] = {{"aten", kAten},
                                     {"aten", kAtenPrims},
                                     {"executorch_prim", kPrims},
                                     {"dim_order_ops", kDimOrder},
                                     {"et_copy", kCopies},
                                     {"quantized_decomposed", kQuantized}};

// What we do not run, and why.
const std::map<std::string, std::string, std::less<>> kLeftOut = {
    {"aten::view_as_real_copy.out", "complex numbers are no dtype of ours"},
    {"aten::_fft_r2c.out", "complex numbers are no dtype of ours"},
    {"aten::_fft_c2r.out", "complex numbers are no dtype of ours"},
    {"quantized_decomposed::mixed_linear.out",
     "written by an optional fusion of weight-only quantization alone"},
    {"quantized_decomposed::mixed_mm.out", "written by an optional fusion of weight-only quantization alone"},
};

std::vector<std::string> stock_names() {
  std::vector<std::string> names;
  for (const Namespace& space : kNamespaces) {
    std::string_view rest = space.operators;
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find(' '), rest.size());
      names.push_back(std::string(space.name) + "::" + std::string(rest.substr(0, end)));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
  return names;
}

TEST(StockNames, every_operator_of_the_stock_runtime_is_found) {
  for (const std::string& name : stock_names()) {
    if (kLeftOut.contains(name)) continue;
    const Op* op = find_out_op(name);
    ASSERT_NE(op, nullptr) << name;
    EXPECT_EQ(op->out_name, name);
  }
}

TEST(StockNames, what_is_left_out_is_a_stock_name_that_is_still_missing) {
  const std::vector<std::string> names = stock_names();
  for (const auto& [name, reason] : kLeftOut) {
    EXPECT_NE(std::find(names.begin(), names.end(), name), names.end()) << name;
    EXPECT_EQ(find_out_op(name), nullptr) << name << " is there now; remove it from the list";
  }
}

}  // namespace
}  // namespace etalon::ops
