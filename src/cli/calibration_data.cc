#include "cli/calibration_data.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <optional>

#include "base/file.h"
#include "cli/tensor_files.h"
#include "frontend/pt2/drawn_weights.h"

namespace etalon::cli {
namespace {

using runtime::Tensor;

struct Input {
  std::string name;
  ir::ValueId value;
  ir::TensorType type;
};

std::vector<Input> tensor_inputs(const ir::Graph& graph) {
  std::vector<Input> inputs;
  for (const ir::Input& input : graph.inputs) {
    if (graph[input.value].is_tensor())
      inputs.push_back({input.name, input.value, graph[input.value].tensor()});
  }
  return inputs;
}

// -- Random samples

// The size of the table that this input indexes, through whatever only moves its elements; 0: none.
std::int64_t table_size(const ir::Graph& graph, ir::ValueId value) {
  for (const ir::Node& node : graph.nodes) {
    const auto* first = node.args.empty() ? nullptr : std::get_if<ir::ValueId>(&node.args[0]);
    const auto* second = node.args.size() < 2 ? nullptr : std::get_if<ir::ValueId>(&node.args[1]);
    if (node.op->functional_name == "aten::embedding" && second && *second == value && first)
      return graph[*first].tensor().sizes[0];
    const bool moves = (node.op->def->traits & ops::kSameElements) != 0 ||
                       node.op->functional_name == "aten::slice_copy.Tensor";
    if (!moves || !first || *first != value) continue;
    if (const std::int64_t size = table_size(graph, node.outs[0]); size > 0) return size;
  }
  return 0;
}

void draw_floats(frontend::DrawnWords& words, std::span<float> out) {
  // Four uniform numbers of variance 1/3 make a bell of variance 4/3.
  for (float& x : out) {
    float sum = 0;
    for (int i = 0; i < 4; ++i) sum += words.next_uniform();
    x = sum * std::sqrt(0.75f);
  }
}

Result<Tensor> drawn(const ir::Graph& graph, const Input& input, std::size_t sample, std::size_t position) {
  frontend::DrawnWords words(fmt::format("calibration_{}_{}", sample, position));
  if (input.type.dtype == DType::kFloat32) {
    ETALON_TRY(Tensor tensor, Tensor::zeros(DType::kFloat32, input.type.sizes));
    draw_floats(words, tensor.elements<float>());
    return tensor;
  }
  const std::int64_t table = table_size(graph, input.value);
  if (table > 0 && input.type.dtype == DType::kInt64) {
    ETALON_TRY(Tensor tensor, Tensor::zeros(DType::kInt64, input.type.sizes));
    for (std::int64_t& x : tensor.elements<std::int64_t>())
      x = static_cast<std::int64_t>(words.next() % static_cast<std::uint64_t>(table));
    return tensor;
  }
  return ones({input.type.dtype, input.type.sizes, contiguous_order(input.type.sizes.size()), false});
}

Result<Samples> draw_samples(const ir::Graph& graph, std::size_t max_samples) {
  constexpr std::size_t kDrawn = 8;
  Samples samples;
  samples.is_random = true;
  samples.available = std::min(kDrawn, max_samples);
  const std::vector<Input> inputs = tensor_inputs(graph);
  for (std::size_t s = 0; s < samples.available; ++s) {
    std::vector<Tensor> sample;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      ETALON_TRY(Tensor tensor, drawn(graph, inputs[i], s, i), inputs[i].name);
      sample.push_back(std::move(tensor));
    }
    samples.inputs.push_back(std::move(sample));
  }
  samples.description = fmt::format("{} random samples", samples.available);
  return samples;
}

// -- Files

bool fits(const ir::TensorType& type, const Dims& sizes, std::size_t from) {
  for (std::size_t d = from; d < sizes.size(); ++d) {
    if (type.is_dynamic(d) ? sizes[d] > type.sizes[d] : sizes[d] != type.sizes[d]) return false;
  }
  return true;
}

// How many samples an array of these sizes holds, and the sizes of each; nothing if it does not fit.
struct Cut {
  std::size_t count = 0;
  Dims sizes;
};
std::optional<Cut> cut_of(const ir::TensorType& type, const Dims& sizes) {
  if (sizes.size() == type.sizes.size()) {
    if (fits(type, sizes, 0)) return Cut{1, sizes};
    if (sizes.empty() || !fits(type, sizes, 1) || type.sizes[0] <= 0 || sizes[0] <= 0 ||
        sizes[0] % type.sizes[0] != 0)
      return std::nullopt;
    Cut cut{static_cast<std::size_t>(sizes[0] / type.sizes[0]), sizes};
    cut.sizes[0] = type.sizes[0];
    return cut;
  }
  if (sizes.size() + 1 != type.sizes.size() || type.sizes[0] != 1) return std::nullopt;
  Dims whole{1};
  for (const std::int64_t size : sizes) whole.push_back(size);
  if (!fits(type, whole, 1)) return std::nullopt;
  return Cut{1, whole};
}

Status check_finite(const Tensor& tensor) {
  if (tensor.dtype() != DType::kFloat32) return {};
  const auto values = tensor.elements<float>();
  const auto bad = std::ranges::count_if(values, [](float x) { return !std::isfinite(x); });
  return bad == 0 ? Status{} : invalid_input(fmt::format("has {} NaN or infinite elements", bad));
}

Status append_npy(const std::string& path, const Input& input, std::size_t max_samples,
                  std::vector<Tensor>& out, std::size_t& available) {
  ETALON_TRY(const Tensor stored,
             read_tensor(path, {input.type.dtype, input.type.sizes, input.type.order, false}));
  ETALON_TRY(const Tensor all, Tensor::copy_of(stored.view()), path);
  if (all.dtype() != input.type.dtype) {
    return invalid_input(fmt::format("{}: is {}, input {} wants {}", path, name_of(all.dtype()), input.name,
                                     name_of(input.type.dtype)));
  }
  const auto cut = cut_of(input.type, all.sizes());
  if (!cut) {
    return invalid_input(
        fmt::format("{}: has the shape {}, input {} wants {} or several of these along the first dim", path,
                    to_string(all.sizes()), input.name, to_string(input.type.sizes)));
  }
  ETALON_CHECKED(check_finite(all), path);
  available += cut->count;
  const std::size_t bytes = all.view().nbytes() / cut->count;
  for (std::size_t s = 0; s < cut->count && out.size() < max_samples; ++s) {
    ETALON_TRY(Tensor sample, Tensor::zeros(all.dtype(), cut->sizes));
    if (bytes > 0) std::memcpy(sample.view().data(), all.bytes().data() + s * bytes, bytes);
    out.push_back(std::move(sample));
  }
  return {};
}

Result<std::vector<std::string>> files_of(const std::string& source) {
  std::error_code error;
  if (!std::filesystem::is_directory(source, error)) return std::vector<std::string>{source};
  std::vector<std::string> images, arrays;
  for (const auto& entry : std::filesystem::directory_iterator(source, error)) {
    const std::string path = entry.path().string();
    if (is_image_name(path)) images.push_back(path);
    if (path.ends_with(".npy")) arrays.push_back(path);
  }
  if (error) return io_error(fmt::format("{}: {}", source, error.message()));
  if (!images.empty() && !arrays.empty())
    return invalid_input(fmt::format("{}: holds images and .npy files; keep one kind in a folder", source));
  std::vector<std::string>& found = images.empty() ? arrays : images;
  if (found.empty()) return not_found(fmt::format("{}: holds no .npy, .jpg or .png files", source));
  std::ranges::sort(found);
  return std::move(found);
}

Status append_source(const std::string& source, const Input& input, const DataRequest& request,
                     std::vector<Tensor>& out, std::size_t& available) {
  ETALON_TRY(const std::vector<std::string> files, files_of(source));
  for (const std::string& path : files) {
    if (!is_image_name(path)) {
      ETALON_CHECKED(append_npy(path, input, request.max_samples, out, available));
      continue;
    }
    ++available;
    if (out.size() >= request.max_samples) continue;
    if (input.type.dtype != DType::kFloat32) {
      return invalid_input(fmt::format("{}: input {} is {}, images want float32; use .npy files", path,
                                       input.name, name_of(input.type.dtype)));
    }
    ETALON_TRY(Tensor image, read_image(path, input.type.sizes, request.images));
    out.push_back(std::move(image));
  }
  return {};
}

}  // namespace

Result<Samples> load_samples(const ir::Graph& graph, const DataRequest& request) {
  const std::vector<Input> inputs = tensor_inputs(graph);
  if (request.sources.size() == 1 && request.sources[0] == "random")
    return draw_samples(graph, request.max_samples);
  if (request.sources.size() != inputs.size()) {
    return invalid_input(
        fmt::format("{} data sources for {} tensor inputs; give one per input, in order, or 'random'",
                    request.sources.size(), inputs.size()));
  }
  Samples samples;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    std::vector<Tensor> column;
    std::size_t available = 0;
    ETALON_CHECKED(append_source(request.sources[i], inputs[i], request, column, available));
    if (i > 0 && available != samples.available) {
      return invalid_input(fmt::format("{} holds {} samples, {} holds {}; inputs want the same number",
                                       request.sources[i], available, request.sources[0], samples.available));
    }
    samples.available = available;
    samples.inputs.resize(column.size());
    for (std::size_t s = 0; s < column.size(); ++s) samples.inputs[s].push_back(std::move(column[s]));
  }
  if (samples.inputs.empty())
    return invalid_input(
        fmt::format("{}: holds no samples", request.sources.empty() ? "the model" : request.sources[0]));
  samples.description = fmt::format("{} samples of {}", samples.inputs.size(), request.sources[0]);
  return samples;
}

Result<std::vector<std::int64_t>> load_classes(const std::string& path) {
  ETALON_TRY(const Tensor labels, read_tensor(path, {DType::kInt64, Dims{}, {}, false}));
  if (labels.dtype() != DType::kInt64)
    return invalid_input(fmt::format("{}: is {}, labels want int64", path, name_of(labels.dtype())));
  const auto values = labels.elements<std::int64_t>();
  return std::vector<std::int64_t>(values.begin(), values.end());
}

Status check_classes(std::span<const std::int64_t> labels, std::size_t rows, std::size_t classes) {
  if (classes == 0)
    return invalid_input(
        "labels are given, and the first output of the model is no rows of class scores ([N, classes])");
  if (labels.size() < rows)
    return invalid_input(
        fmt::format("{} labels for {} rows of class scores, want one each", labels.size(), rows));
  for (std::size_t i = 0; i < rows; ++i) {
    if (labels[i] < 0 || static_cast<std::size_t>(labels[i]) >= classes)
      return invalid_input(
          fmt::format("label {} is {}, the model has classes 0 to {}", i, labels[i], classes - 1));
  }
  return {};
}

}  // namespace etalon::cli
