#include "analysis/rules/operator_kinds.h"

#include <algorithm>
#include <initializer_list>

namespace etalon::analysis {
namespace {

using Kinds = std::initializer_list<std::string_view>;

bool among(std::string_view kind, Kinds kinds) {
  return std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
}

}  // namespace

bool is_product(std::string_view kind) {
  return among(kind, {"convolution",
                      "_convolution",
                      "conv1d",
                      "conv2d",
                      "conv3d",
                      "conv_transpose1d",
                      "conv_transpose2d",
                      "conv_transpose3d",
                      "conv_depthwise2d",
                      "depthwiseconv2d",
                      "convtranspose2d",
                      "deconvolution",
                      "mm",
                      "bmm",
                      "addmm",
                      "linear",
                      "matmul",
                      "baddbmm",
                      "fully_connected",
                      "fullyconnected",
                      "batch_matrix_multiply",
                      "batchmatrixmultiply",
                      "scaled_dot_product_attention",
                      "scaled_dot-product_attention",
                      "scaleddotproductattention"});
}

bool is_batch_norm(std::string_view kind) { return kind.find("batch_norm") != std::string_view::npos; }

bool is_norm(std::string_view kind) {
  return is_batch_norm(kind) || among(kind, {"native_layer_norm", "layer_norm", "native_group_norm",
                                             "group_norm", "instance_norm", "rms_norm", "_fused_rms_norm"});
}

bool is_layout_change(std::string_view kind) {
  return among(kind, {"permute",
                      "permute_copy",
                      "transpose",
                      "transpose_copy",
                      "t_copy",
                      "statictranspose",
                      "clone",
                      "_clone_dim_order",
                      "copy",
                      "copy_",
                      "contiguous",
                      "_to_copy",
                      "_to_dim_order_copy",
                      "to",
                      "view",
                      "view_copy",
                      "reshape",
                      "reshape_copy",
                      "static_reshape",
                      "staticreshape",
                      "flatten",
                      "_reshape_alias",
                      "expand_copy",
                      "squeeze_copy",
                      "unsqueeze_copy",
                      "alias_copy",
                      "detach_copy",
                      "as_strided_copy",
                      "lift_fresh_copy",
                      "movedim",
                      "swapaxes"});
}

bool is_quantise(std::string_view kind) {
  return kind.starts_with("quantize_per_") || kind.starts_with("choose_qparams") || kind == "quantize_affine";
}

bool is_dequantise(std::string_view kind) { return kind.starts_with("dequantize_"); }

bool is_quantisation(std::string_view kind) {
  return is_quantise(kind) || is_dequantise(kind) || kind == "convert";
}

bool is_upsampling(std::string_view kind) {
  return kind.starts_with("upsample_") || kind.starts_with("_upsample_") || kind.starts_with("resize_") ||
         kind.starts_with("staticresize") || kind == "interpolate";
}

bool is_clamp(std::string_view kind) {
  return among(kind, {"relu", "relu_", "relu6", "hardtanh", "clamp", "clip"});
}

bool is_activation(std::string_view kind) {
  return is_clamp(kind) || among(kind, {"hardswish", "hard_swish", "hardsigmoid", "silu", "gelu", "sigmoid",
                                        "tanh", "leaky_relu", "leakyrelu", "elu", "mish"});
}

}  // namespace etalon::analysis
