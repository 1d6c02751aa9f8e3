#include "cli/demo_model.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "analysis/json_reading.h"
#include "base/checked.h"
#include "base/file.h"
#include "cli/engine_choice.h"
#include "cli/exporter.h"
#include "formats/npy/npy.h"
#include "frontend/pt2/drawn_weights.h"
#include "runtime/module.h"

namespace etalon::cli {
namespace {

using nlohmann::json;

constexpr std::int64_t kMaxInputElements = std::int64_t{1} << 24;

const json* first_of(const json& entry, const char* list) {
  const json* items = analysis::member(entry, list);
  return items != nullptr && items->is_array() && !items->empty() ? &items->front() : nullptr;
}

Result<ZooEntry> read_entry(const json& item, const std::string& folder) {
  ZooEntry entry;
  entry.name = analysis::text_member(item, "name");
  entry.description = analysis::text_member(item, "description");
  entry.folder = folder;
  entry.test_accuracy = analysis::number_member(item, "test_accuracy");
  const json* input = first_of(item, "inputs");
  const json* output = first_of(item, "outputs");
  if (input == nullptr || output == nullptr) return invalid_input(entry.name + ": has no input or output");
  if (item["inputs"].size() != 1 || analysis::text_member(*input, "dtype") != "float32") {
    return unsupported(entry.name + ": the check wants a model with one float32 input");
  }
  std::int64_t elements = 1;
  for (const double size : analysis::numbers_member(*input, "sizes")) {
    entry.input_sizes.push_back(static_cast<std::int64_t>(std::clamp(size, 0.0, 1e9)));
    elements = checked_mul(elements, entry.input_sizes.back()).value_or(kMaxInputElements + 1);
    if (elements > kMaxInputElements) return invalid_input(entry.name + ": the input is too large");
  }
  entry.expected_file = folder + "/" + analysis::text_member(*output, "file");
  entry.max_abs = analysis::number_member(*output, "max_abs").value_or(0);
  return entry;
}

Result<std::vector<float>> read_floats(const std::string& path) {
  ETALON_TRY(const MappedFile file, MappedFile::open(path));
  ETALON_TRY(const formats::npy::Array array, formats::npy::decode(file.bytes()), path);
  if (array.descr != "<f4") return invalid_input(path + ": found " + array.descr + ", want <f4");
  std::vector<float> values(array.data.size() / sizeof(float));
  std::memcpy(values.data(), array.data.data(), values.size() * sizeof(float));
  return values;
}

Result<std::vector<std::int64_t>> read_labels(const std::string& path) {
  ETALON_TRY(const MappedFile file, MappedFile::open(path));
  ETALON_TRY(const formats::npy::Array array, formats::npy::decode(file.bytes()), path);
  if (array.descr != "<i8") return invalid_input(path + ": found " + array.descr + ", want <i8");
  std::vector<std::int64_t> values(array.data.size() / sizeof(std::int64_t));
  std::memcpy(values.data(), array.data.data(), values.size() * sizeof(std::int64_t));
  return values;
}

std::size_t elements_of(const ZooEntry& entry) {
  std::size_t count = 1;
  for (const std::int64_t size : entry.input_sizes) count *= static_cast<std::size_t>(size);
  return count;
}

std::vector<float> drawn_input(const ZooEntry& entry) {
  frontend::DrawnWords words("input_0");
  std::vector<float> values(elements_of(entry));
  for (float& value : values) value = words.next_uniform();
  return values;
}

Result<std::vector<float>> forward(runtime::Module& module, const ZooEntry& entry,
                                   std::span<const float> input) {
  ETALON_TRY(const runtime::Tensor tensor, runtime::Tensor::from_floats(Dims(entry.input_sizes), input));
  ETALON_TRY(const std::vector<runtime::Tensor> outputs, module.forward(tensor));
  if (outputs.empty() || outputs[0].view().dtype() != DType::kFloat32) {
    return invalid_input("the program's first output is not a float32 tensor");
  }
  const auto values = outputs[0].elements<float>();
  return std::vector<float>(values.begin(), values.end());
}

Status compare(const ZooEntry& entry, const std::vector<float>& found, OutputCheck& check) {
  ETALON_TRY(const std::vector<float> expected, read_floats(entry.expected_file));
  if (found.size() < expected.size()) {
    return invalid_input(fmt::format("{}: the output has {} values, want at least {}", entry.name,
                                     found.size(), expected.size()));
  }
  check.values = expected.size();
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double difference = std::fabs(static_cast<double>(found[i]) - static_cast<double>(expected[i]));
    // A NaN must not look like agreement.
    const double relative =
        std::isfinite(difference) && entry.max_abs > 0 ? difference / entry.max_abs : HUGE_VAL;
    check.worst_relative = std::max(check.worst_relative, relative);
  }
  return {};
}

Status measure_accuracy(const ZooEntry& entry, runtime::Module& module, OutputCheck& check) {
  ETALON_TRY(const std::vector<float> images, read_floats(entry.folder + "/digits_images.npy"));
  ETALON_TRY(const std::vector<std::int64_t> labels, read_labels(entry.folder + "/digits_labels.npy"));
  const std::size_t size = elements_of(entry);
  if (size == 0 || images.size() != labels.size() * size) {
    return invalid_input(entry.name + ": the digits do not have the size of its input");
  }
  std::size_t right = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    ETALON_TRY(const std::vector<float> scores,
               forward(module, entry, std::span(images).subspan(i * size, size)));
    const auto best = std::max_element(scores.begin(), scores.end()) - scores.begin();
    right += best == labels[i] ? 1 : 0;
  }
  check.images = labels.size();
  check.accuracy = static_cast<double>(right) / static_cast<double>(labels.size());
  return {};
}

}  // namespace

Result<ZooEntry> find_zoo_entry(const std::string& name) {
  ETALON_TRY(const std::string folder, zoo_folder());
  ETALON_TRY(const json index, analysis::read_json_file(folder + "/zoo.json"));
  const json* models = analysis::member(index, "models");
  if (models != nullptr && models->is_array()) {
    for (const json& item : *models) {
      if (analysis::text_member(item, "name") == name) return read_entry(item, folder);
    }
  }
  return not_found(fmt::format("{}/zoo.json: has no model {}", folder, name));
}

Status write_demo_input(const ZooEntry& entry, const std::string& path) {
  const std::vector<float> values = drawn_input(entry);
  ETALON_TRY(const std::vector<std::byte> bytes,
             formats::npy::encode("<f4", entry.input_sizes, std::as_bytes(std::span(values))));
  return write_file(path, bytes);
}

Result<OutputCheck> check_outputs(const ZooEntry& entry, const std::string& program_path) {
  runtime::ModuleOptions options;
  RunReport report;
  ETALON_TRY(const Engine engine, Engine::choose({.engine = "native", .threads = 1}, options.method, report));
  ETALON_TRY(runtime::Module module, runtime::Module::load(program_path, options), program_path);
  OutputCheck check;
  ETALON_TRY(const std::vector<float> output, forward(module, entry, drawn_input(entry)));
  ETALON_CHECKED(compare(entry, output, check));
  if (entry.test_accuracy) ETALON_CHECKED(measure_accuracy(entry, module, check));
  return check;
}

}  // namespace etalon::cli
