// One experiment: many trials of a whole session each, under one kind of noise.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "measure/protocol.h"
#include "rate_table.h"

namespace etalon::bench {

struct TrialOptions {
  std::size_t trials = 200;
  std::uint64_t seed = 1;
  std::uint32_t launches = 12;
  std::uint32_t blocks_per_launch = 3;
  std::uint32_t control_launches = 6;
  double block_seconds = 0.005;
  std::uint32_t disturbers = 2;  // processes, in the real mode
  double seconds = 0;            // the real mode stops after the trial in which they are over; 0: never
  bool naive = true;             // also what people do today
  std::string lines_path;        // one JSON object for each verdict is appended; empty: none
};

measure::Plan plan_of(const TrialOptions& options, std::size_t trial);
std::vector<measure::Arm> arms_of_trial();

// Runs trial after trial: `machine` hands out a fresh launcher and surroundings for each.
struct TrialMachine {
  measure::LaunchWorker launch;
  measure::Surroundings surroundings;
};
Result<std::vector<Row>> run_trials(const std::string& noise, const TrialOptions& options,
                                    const std::function<Result<TrialMachine>(std::size_t trial)>& machine,
                                    const std::function<bool(std::size_t done)>& go_on);

// All noise models of measure/simulated_machine.h.
Result<std::vector<Row>> run_simulated(const TrialOptions& options);

// This machine: a short arithmetic kernel in worker processes of this program, while others disturb it.
Result<std::vector<Row>> run_real(const std::string& own_program, const TrialOptions& options);

// What this program does as a worker of the real mode, and as a disturber, until its input ends.
Status serve_kernel(double factor);
Status serve_disturbance(std::uint64_t seed);

}  // namespace etalon::bench
