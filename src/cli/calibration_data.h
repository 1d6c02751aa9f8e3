// What a model is calibrated and judged on: samples from .npy files, folders of them, folders of images, or
// drawn ones.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/calibration_images.h"
#include "ir/graph.h"
#include "runtime/tensor.h"

namespace etalon::cli {

struct DataRequest {
  // "random", or per tensor input, in order: an .npy file or a folder of .npy files; or one folder of images.
  std::vector<std::string> sources;
  std::size_t max_samples = 128;
  ImagePreprocessing images = {};
};

// One set of inputs per sample, one tensor per tensor input of the graph.
struct Samples {
  std::vector<std::vector<runtime::Tensor>> inputs;
  std::size_t available = 0;  // before max_samples cut it
  bool is_random = false;
  std::string description;  // "32 samples of photos", for people
};

// An .npy holds one sample (the input's shape, also without a leading 1) or several (the batch dim is a
// multiple of the input's). Files of a folder are read in the order of their names. Random samples: floats
// are drawn from a bell curve of variance 1, indices of embeddings below the table's size, other integers and
// bools are ones; always the same ones. Errors, each naming the file: kNotFound (no such file, nothing in the
// folder), kInvalidInput (no source, shapes or dtypes that do not fit, sources of different length, NaN or
// infinity), kUnsupported.
Result<Samples> load_samples(const ir::Graph& graph, const DataRequest& request);

// The right classes, from an .npy of int64. Errors: another dtype, those of the file.
Result<std::vector<std::int64_t>> load_classes(const std::string& path);
// kInvalidInput: the model gives no rows of scores (`classes` is 0), fewer labels than `rows`, one that is no
// class.
Status check_classes(std::span<const std::int64_t> labels, std::size_t rows, std::size_t classes);

}  // namespace etalon::cli
