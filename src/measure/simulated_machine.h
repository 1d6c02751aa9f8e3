// A machine that exists in numbers only: it "runs" arms in no time, under noise of known kinds, so that the
// protocol and its verdicts can be tried thousands of times with a known truth. For tests and for
// bench/verdicts.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "measure/protocol.h"
#include "measure/random.h"

namespace etalon::measure {

// Each kind is off at 0. Deviations are of logarithms: 0.01 is about 1 %.
struct NoiseModel {
  std::string_view name;
  double run_ms = 0.125;           // of an undisturbed run of factor 1
  double jitter = 0.003;           // independent, of each run
  double outlier_chance = 0.002;   // of a run that takes longer by a heavy-tailed amount
  double warmup_excess = 0.3;      // of the first run of a process, halved about every two runs
  double drift_per_second = 0;     // of the speed, always the same way
  double wander = 0;               // deviation of the speed, which comes back to its mean ...
  double wander_seconds = 1;       // ... in about this time: autocorrelation
  double clock_ratio = 0;          // the slower of two clocks, which take turns ...
  double clock_seconds = 0.5;      // ... for about this long
  double burst_excess = 0;         // by a neighbour that is busy ...
  double burst_seconds = 0.04;     // ... for about this long ...
  double burst_gap_seconds = 0.6;  // ... after pauses of about this
  double process_deviation = 0;    // between processes of the same arm: memory layout
};

// The kinds on which verdicts are tried: quiet, drift, autocorrelated, two clocks, bursts, processes differ,
// everything.
std::span<const NoiseModel> noise_models();

class SimulatedMachine {
 public:
  SimulatedMachine(const NoiseModel& model, std::uint64_t seed) : model_(model), random_(seed) {}
  SimulatedMachine(const SimulatedMachine&) = delete;
  SimulatedMachine& operator=(const SimulatedMachine&) = delete;

  // Arm i takes factors[i] times as long. What is returned refers to this machine and must not outlive it.
  LaunchWorker launcher(std::vector<double> factors);
  Surroundings surroundings();

  // Nanoseconds of one run that would take `undisturbed_ns`; moves the clock on by them.
  double run_ns(double undisturbed_ns);
  void pass(double seconds);
  double seconds() const { return seconds_; }
  Random& random() { return random_; }
  const NoiseModel& model() const { return model_; }

 private:
  double slowness() const;

  NoiseModel model_;
  Random random_;
  double seconds_ = 0;
  double wander_ = 0;
  bool slow_clock_ = false;
  double burst_until_ = -1;
  double next_burst_ = 0;
};

}  // namespace etalon::measure
