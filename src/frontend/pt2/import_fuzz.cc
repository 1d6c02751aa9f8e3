// Any bytes as an archive, or any JSON text as the program of a model without weights: decoded and imported.
#include <cstddef>
#include <cstdint>

#include "frontend/pt2/import.h"
#include "ir/verify.h"

namespace {

namespace pt2 = etalon::formats::pt2;

// Small limits keep one input to milliseconds.
constexpr etalon::frontend::ImportOptions kOptions{.with_examples = true, .max_tensor_bytes = 1 << 20};

void import_text(etalon::Bytes json) {
  auto program = pt2::decode_program(json);
  if (!program.ok()) return;
  pt2::Model model;
  model.name = "model";
  model.program = std::move(*program);
  model.is_weightless = true;
  for (const pt2::InputSpec& spec : model.program.input_specs) {
    const auto* tensor = spec.arg.as<pt2::TensorArg>();
    if (tensor == nullptr || spec.target.empty()) continue;
    pt2::StoredTensor missing;
    missing.is_missing = true;
    missing.dtype = 6;
    const auto meta = model.program.graph.tensor_values.find(tensor->name);
    if (meta != model.program.graph.tensor_values.end()) {
      for (const pt2::SymInt& size : meta->second.sizes) missing.sizes.push_back(size.value);
    }
    missing.strides.assign(missing.sizes.size(), 0);
    model.weights[spec.target] = missing;
    model.constants[spec.target] = missing;
  }
  static_cast<void>(etalon::frontend::import_model(model, json, kOptions).ok());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const etalon::Bytes bytes{reinterpret_cast<const std::byte*>(data), size};
  if (size > 0 && data[0] == '{') {
    import_text(bytes);
  } else {
    static_cast<void>(etalon::frontend::import_pt2(bytes, kOptions).ok());
  }
  return 0;
}
