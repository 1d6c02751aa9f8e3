// The parts of the demo that concern one built-in model: export, and check against stored PyTorch outputs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace etalon::cli {

// One entry of zoo.json.
struct ZooEntry {
  std::string name;
  std::string description;
  std::string folder;                     // of the zoo
  std::vector<std::int64_t> input_sizes;  // of the only input, fp32
  std::string expected_file;              // values of the first output, made by PyTorch
  double max_abs = 0;                     // magnitude of that output
  std::optional<double> test_accuracy;    // PyTorch's, on digits_images.npy
};

// Errors: kNotFound, kInvalidInput, kUnsupported (a model that does not take one fp32 tensor).
Result<ZooEntry> find_zoo_entry(const std::string& name);

// Writes the input that the stored outputs were made with, as .npy. Errors: kIo.
Status write_demo_input(const ZooEntry& entry, const std::string& path);

struct OutputCheck {
  std::size_t values = 0;
  double worst_relative = 0;  // largest difference over the output's magnitude
  std::optional<double> accuracy;
  std::size_t images = 0;  // that `accuracy` is over
};

// Runs the program in this process. Errors: those of the files and of the run.
Result<OutputCheck> check_outputs(const ZooEntry& entry, const std::string& program_path);

}  // namespace etalon::cli
