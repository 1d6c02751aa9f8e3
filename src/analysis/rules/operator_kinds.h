// Kinds of operators that rules speak of, under all their names: ATen's, those of delegate events and those
// of a delegate's nodes. `kind` is what operator_base_name() makes of any of them.
#pragma once

#include <string_view>

namespace etalon::analysis {

bool is_product(std::string_view kind);  // convolutions, linear layers, matrix products, attention
bool is_norm(std::string_view kind);  // normalise over values they read: layer, group, instance, RMS, batch
bool is_batch_norm(std::string_view kind);
bool is_layout_change(std::string_view kind);  // the same values in another order, place or shape
bool is_quantise(std::string_view kind);       // float to integers, with the search for the scale
bool is_dequantise(std::string_view kind);
bool is_quantisation(std::string_view kind);  // either, and a delegate's "Convert"
bool is_upsampling(std::string_view kind);
bool is_clamp(std::string_view kind);       // limits values: what kernels do while they store
bool is_activation(std::string_view kind);  // clamps and curves, of one input

}  // namespace etalon::analysis
