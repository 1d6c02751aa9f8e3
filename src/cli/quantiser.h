// From a float graph to an int8 one: data, calibration, rewriting, and what it did to the accuracy.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/calibration.h"
#include "ir/graph.h"
#include "quantize/observer.h"
#include "quantize/plan.h"

namespace etalon::cli {

struct QuantiseRequest {
  std::string scheme = "static";        // or "dynamic"
  std::string granularity = "channel";  // of weights; or "tensor"
  std::string observer = "mse";
  double percentile = 99.99;
  bool bias_correction = true;  // static only
  quantize::Selection selection;
  DataRequest data;                // no sources: an error for static, random samples for judging dynamic
  std::string labels;              // .npy of int64, one class per sample of the judged data; empty: none
  std::vector<std::string> judge;  // data sources to judge accuracy on; empty: the calibration samples
  bool assess = true;              // measure the accuracy
  bool explain = false;            // measure what each layer costs, too
  int threads = 1;
};

// Of one value that the float and the int8 model compute, over all judged samples.
struct Closeness {
  std::string name;
  std::optional<double> snr_db;  // none: the float model gives zeros only
  std::optional<double> cosine;
  double max_error = 0;
};

struct LayerCloseness : Closeness {
  std::string kind;                 // "conv", "hardswish"
  std::vector<std::string> values;  // results of everything that computes it, the clamp behind it included
};

// What leaving one layer in float would bring at the first output.
struct LayerGain {
  std::string name;
  std::string kind;
  double gain_db = 0;
  std::vector<std::string> follow;  // layers that would no longer lie between int8, and so be float too
};

// A classification result: over samples with one row of scores each.
struct Top1 {
  std::size_t samples = 0;
  std::size_t agreeing = 0;                            // same class in both models
  std::optional<std::size_t> float_right, int8_right;  // with labels only
};

struct LeftInFloat {
  std::string name;
  std::string kind;
  std::string why;
};

struct QuantiseOutcome {
  std::string scheme, granularity, observer;
  std::string data;  // "32 samples of photos"
  bool random_data = false;
  std::size_t samples_available = 0, samples_used = 0;
  std::size_t in_int8 = 0;  // sites
  std::vector<LeftInFloat> left_in_float;
  std::string judged_on;
  std::vector<Closeness> outputs;      // the float ones
  std::vector<LayerCloseness> layers;  // in order, computed on int8; errors of the layers before included
  std::vector<LayerGain> gains;        // with explain, the largest first
  std::size_t gains_left_out = 0;      // layers that were not tried, all of them closer to float than those
  std::optional<Top1> top1;            // where the first output is rows of scores
  double calibration_ms = 0, accuracy_ms = 0;
};

// kInvalidInput for schemes, granularities and observers that do not exist; names those that do.
Status check_quantise_request(const QuantiseRequest& request);

// Rewrites the graph, which has been through the pipeline. On an error the graph is unspecified.
Result<QuantiseOutcome> quantise_graph(ir::Graph& graph, const QuantiseRequest& request,
                                       const ProgressFn& progress);

}  // namespace etalon::cli
