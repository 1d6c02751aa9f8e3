// What the targets of exported nodes are called and what their names tell.
#pragma once

#include <string>
#include <string_view>

namespace etalon::frontend {

// "torch.ops.aten.conv2d.default" -> "aten::conv2d"; other targets unchanged.
std::string functional_name(std::string_view target);

// Checks that eager execution makes and programs do not need: sizes are validated when a program runs.
bool is_check(std::string_view functional_name);

// "aten::relu_" -> "aten::relu", "aten::add_.Tensor" -> "aten::add.Tensor"; empty for names without the
// underscore.
std::string without_underscore(std::string_view functional_name);

}  // namespace etalon::frontend
