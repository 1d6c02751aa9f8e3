#include "cli/print_value.h"

#include <fmt/core.h>

#include <cmath>

#include "tensor/half.h"

namespace etalon::cli {
namespace {

using Tag = ops::Value::Tag;

// As C++ streams print by default, six significant digits; whole numbers get a dot to show that they are floating.
std::string number(double value) {
  if (!std::isfinite(value)) return fmt::format("{}", value);
  std::string text = fmt::format("{:g}", value);
  if (text.find_first_of(".e") == std::string::npos) text += '.';
  return text;
}

std::string element(const TensorView& t, std::int64_t i) {
  switch (t.dtype()) {
    case DType::kFloat32: return number(static_cast<double>(t.data_as<float>()[i]));
    case DType::kFloat64: return number(t.data_as<double>()[i]);
    case DType::kFloat16: return number(static_cast<double>(static_cast<float>(t.data_as<Half>()[i])));
    case DType::kBFloat16: return number(static_cast<double>(static_cast<float>(t.data_as<BFloat16>()[i])));
    case DType::kBool: return t.data_as<std::uint8_t>()[i] != 0 ? "True" : "False";
    case DType::kUInt8: return fmt::format("{}", t.data_as<std::uint8_t>()[i]);
    case DType::kInt8: return fmt::format("{}", t.data_as<std::int8_t>()[i]);
    case DType::kInt16: return fmt::format("{}", t.data_as<std::int16_t>()[i]);
    case DType::kUInt16: return fmt::format("{}", t.data_as<std::uint16_t>()[i]);
    case DType::kInt32: return fmt::format("{}", t.data_as<std::int32_t>()[i]);
    case DType::kUInt32: return fmt::format("{}", t.data_as<std::uint32_t>()[i]);
    case DType::kInt64: return fmt::format("{}", t.data_as<std::int64_t>()[i]);
    case DType::kUInt64: return fmt::format("{}", t.data_as<std::uint64_t>()[i]);
  }
  return "?";
}

// Up to ten items stay on one line; more are wrapped, each with a comma behind it, and the middle of a long list is
// left out.
template <class Item>
std::string list_text(std::int64_t count, Item&& item) {
  constexpr std::int64_t kItemsPerLine = 10;
  constexpr std::int64_t kEdge = 100;
  const bool wrapping = count > kItemsPerLine;
  std::string out = wrapping ? "[\n  " : "[";
  std::int64_t on_line = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    if (i == kEdge && count > 2 * kEdge) {
      out += "...,\n  ";
      i = count - kEdge;
      on_line = 0;
    }
    out += item(i);
    const bool last = i + 1 == count;
    if (wrapping || !last) out += ',';
    if (wrapping && ++on_line == kItemsPerLine) {
      out += last ? "\n" : "\n  ";
      on_line = 0;
    } else if (!last) {
      out += ' ';
    } else if (wrapping) {
      out += '\n';
    }
  }
  return out + "]";
}

std::string tensor_text(const TensorView& tensor) {
  return "tensor(sizes=" + to_string(tensor.sizes()) + ", " +
         list_text(tensor.numel(), [&](std::int64_t i) { return element(tensor, i); }) + ")";
}

std::string tensors_text(std::span<TensorView* const> tensors) {
  std::string out = fmt::format("(len={})[\n", tensors.size());
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    out += fmt::format("  [{}]: {},\n", i, tensors[i] == nullptr ? "None" : tensor_text(*tensors[i]));
  }
  return out + "]";
}

}  // namespace

std::string summary_of(const ops::Value& value) {
  const auto size = [](const auto& list) { return static_cast<std::int64_t>(list.size()); };
  switch (value.tag()) {
    case Tag::kNone: return "None";
    case Tag::kInt: return fmt::format("{}", value.as_int());
    case Tag::kBool: return value.as_bool() ? "True" : "False";
    case Tag::kDouble: return number(value.as_double());
    case Tag::kString: return fmt::format("\"{}\"", value.as_string());
    case Tag::kTensor: return tensor_text(*value.as_tensor());
    case Tag::kIntList: {
      const auto list = value.as_ints();
      return "(len=" + std::to_string(list.size()) + ")" +
             list_text(size(list), [&](std::int64_t i) { return fmt::format("{}", list[static_cast<std::size_t>(i)]); });
    }
    case Tag::kDoubleList: {
      const auto list = value.as_doubles();
      return "(len=" + std::to_string(list.size()) + ")" +
             list_text(size(list), [&](std::int64_t i) { return number(list[static_cast<std::size_t>(i)]); });
    }
    case Tag::kBoolList: {
      const auto list = value.as_bools();
      return "(len=" + std::to_string(list.size()) + ")" + list_text(size(list), [&](std::int64_t i) {
               return std::string(list[static_cast<std::size_t>(i)] ? "True" : "False");
             });
    }
    case Tag::kTensorList: return tensors_text(value.as_tensors());
  }
  return "?";
}

std::string listing_of(const ops::Value& value, std::size_t output) {
  if (!value.is(Tag::kTensor)) return fmt::format("Output[{}]: Not Tensor\n", output);
  const TensorView& t = *value.as_tensor();
  std::string out;
  for (std::int64_t i = 0; i < t.numel(); ++i) {
    std::string text;
    switch (t.dtype()) {
      case DType::kFloat32: text = fmt::format("(float) {:f}", t.data_as<float>()[i]); break;
      case DType::kInt32: text = fmt::format("(int) {}", t.data_as<std::int32_t>()[i]); break;
      case DType::kInt8: text = fmt::format("(char) {}", t.data_as<std::int8_t>()[i]); break;
      case DType::kBool: {
        const unsigned byte = t.data_as<std::uint8_t>()[i];
        text = fmt::format("(bool) {}(0x{:x})", byte != 0 ? "true " : "false ", byte);
        break;
      }
      // executor_runner prints nothing for the other types.
      default: text = fmt::format("({}) {}", name_of(t.dtype()), element(t, i)); break;
    }
    out += fmt::format("Output[{}][{}]: {}\n", output, i, text);
  }
  return out;
}

}  // namespace etalon::cli
