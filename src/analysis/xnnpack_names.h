// What XNNPACK calls the operators it makes of a payload's nodes. Only for the matching of events with nodes.
#pragma once

#include <string_view>
#include <vector>

#include "formats/xnn/xnn.h"

namespace etalon::analysis {

// Our name of "Convert (NC, F32, QDU8)", which does other work than "Convert (NC)".
inline constexpr std::string_view kDynamicConvert = "Dynamic Convert";

enum class XnnpackKind { kUnary, kBinary, kOther };  // as its graph has them
XnnpackKind xnnpack_kind(formats::xnn::NodeType type);

// How the label of the operator may begin: "Convolution" of "Convolution (NHWC, F32) IGEMM #1". Versions and machines
// differ, so there may be several.
std::vector<std::string_view> xnnpack_names(const formats::xnn::Node& node);

// "Convolution" of "Convolution (NHWC, F32) IGEMM #1"; kDynamicConvert for a conversion to a dynamically quantised type.
std::string_view xnnpack_label_name(std::string_view label);

}  // namespace etalon::analysis
