#include "analysis/work_kind.h"

#include <string_view>
#include <unordered_map>

namespace etalon::analysis {
namespace {

using Table = std::unordered_map<std::string_view, Work>;

template <class... Names>
void add_work(Table& table, WorkKind kind, std::string_view canonical, Names... names) {
  (table.emplace(std::string_view(names), Work{kind, std::string(canonical)}), ...);
}

void add_products(Table& table) {
  add_work(table, WorkKind::kProduct, "product", "convolution", "_convolution", "conv1d", "conv2d", "conv3d",
           "conv_depthwise2d", "quantized_conv", "mm", "addmm", "linear", "addmv", "mv", "quantized_linear",
           "fully_connected", "fully_connected_sparse", "gemm", "linear_8da4w", "_weight_int8pack_mm",
           "_weight_int4pack_mm");
  add_work(table, WorkKind::kProduct, "deconvolution", "deconvolution", "conv_transpose1d",
           "conv_transpose2d");
  add_work(table, WorkKind::kProduct, "batch_product", "bmm", "matmul", "baddbmm", "batch_matrix_multiply");
  add_work(table, WorkKind::kProduct, "attention", "scaled_dot_product_attention", "custom_sdpa",
           "scaled_dot-product_attention", "custom_quantized_sdpa", "sdpa_with_kv_cache");
}

void add_activations(Table& table) {
  add_work(table, WorkKind::kActivation, "clamp", "clamp", "clip", "hardtanh", "relu", "relu6", "relu_",
           "hardtanh_");
  add_work(table, WorkKind::kActivation, "batch_norm", "batch_norm", "_native_batch_norm_legit_no_training",
           "native_batch_norm", "_native_batch_norm_legit", "batchnorm");
}

void add_movement(Table& table) {
  add_work(table, WorkKind::kLayout, "transpose", "permute", "permute_copy", "transpose", "transpose_copy",
           "t_copy", "static_transpose");
  add_work(table, WorkKind::kLayout, "reshape", "view", "view_copy", "reshape", "_reshape_alias",
           "reshape_copy", "flatten", "static_reshape", "squeeze", "squeeze_copy", "unsqueeze",
           "unsqueeze_copy");
  add_work(table, WorkKind::kLayout, "copy", "clone", "copy", "copy_", "contiguous", "_clone_dim_order",
           "_to_dim_order_copy", "alias_copy", "detach_copy", "lift_fresh_copy", "expand", "expand_copy");
  add_work(table, WorkKind::kConversion, "convert", "convert", "_to_copy", "to", "quantize_per_tensor",
           "dequantize_per_tensor", "quantize_per_channel", "dequantize_per_channel", "quantize_per_token",
           "dequantize_per_token", "choose_qparams", "choose_qparams_per_token_asymmetric");
}

void add_others(Table& table) {
  add_work(table, WorkKind::kOther, "mean", "mean", "global_average_pooling", "adaptive_avg_pool2d",
           "_adaptive_avg_pool2d", "static_mean");
  add_work(table, WorkKind::kOther, "average_pooling", "average_pooling", "avg_pool2d");
  add_work(table, WorkKind::kOther, "max_pooling", "max_pooling", "max_pool2d", "max_pool2d_with_indices");
  add_work(table, WorkKind::kOther, "softmax", "softmax", "_softmax");
  add_work(table, WorkKind::kOther, "multiply", "multiply", "mul");
  add_work(table, WorkKind::kOther, "subtract", "subtract", "sub");
  add_work(table, WorkKind::kOther, "divide", "divide", "div");
  add_work(table, WorkKind::kOther, "negate", "negate", "neg");
  add_work(table, WorkKind::kOther, "square_root", "square_root", "sqrt");
  add_work(table, WorkKind::kOther, "reciprocal_square_root", "reciprocal_square_root", "rsqrt");
  add_work(table, WorkKind::kOther, "leaky_relu", "leaky_relu", "leakyrelu");
  add_work(table, WorkKind::kOther, "pad", "pad", "constant_pad_nd", "constant_pad");
  add_work(table, WorkKind::kOther, "slice", "slice", "slice_copy", "narrow_copy", "static_slice");
  add_work(table, WorkKind::kOther, "concatenate", "cat", "concatenate");
  add_work(table, WorkKind::kOther, "resize_bilinear", "resize_bilinear", "upsample_bilinear2d");
  add_work(table, WorkKind::kOpaque, "delegate", "delegate_call");
}

const Table& table_of_work() {
  static const Table table = [] {
    Table made;
    add_products(made);
    add_activations(made);
    add_movement(made);
    add_others(made);
    return made;
  }();
  return table;
}

}  // namespace

Work work_of(const OperatorRow& row) {
  std::string base = operator_base_name(row.name);
  const auto found = table_of_work().find(base);
  if (found != table_of_work().end()) return found->second;
  // A delegate's event without a name; its record may know the operator.
  const std::string type = operator_base_name(row.op_type);
  const auto by_type = table_of_work().find(type);
  if (by_type != table_of_work().end()) return by_type->second;
  return {WorkKind::kOther, std::move(base)};
}

}  // namespace etalon::analysis
