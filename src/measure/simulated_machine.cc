#include "measure/simulated_machine.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace etalon::measure {
namespace {

constexpr NoiseModel kModels[] = {
    {.name = "quiet"},
    {.name = "drift", .drift_per_second = 0.02},
    {.name = "autocorrelated", .wander = 0.03, .wander_seconds = 0.3},
    {.name = "two clocks", .clock_ratio = 1.15, .clock_seconds = 0.4},
    {.name = "bursts", .burst_excess = 0.6},
    {.name = "processes differ", .process_deviation = 0.005},
    {.name = "everything",
     .jitter = 0.01,
     .outlier_chance = 0.01,
     .drift_per_second = 0.005,
     .wander = 0.015,
     .wander_seconds = 0.3,
     .clock_ratio = 1.10,
     .clock_seconds = 0.7,
     .burst_excess = 0.6,
     .process_deviation = 0.003},
};

constexpr double kLaunchSeconds = 0.05;
constexpr double kSentinelNs = 1e5;

class SimulatedWorker : public Worker {
 public:
  SimulatedWorker(SimulatedMachine& machine, double factor) : machine_(machine), factor_(factor) {
    machine_.pass(kLaunchSeconds);
    factor_ *= std::exp(machine_.model().process_deviation * machine_.random().normal());
  }

  Result<std::vector<double>> run(std::uint32_t runs) override {
    std::vector<double> times(runs);
    for (double& time : times) {
      time = machine_.run_ns(machine_.model().run_ms * 1e6 * factor_ * (1 + excess_));
      excess_ /= 1.5;
    }
    excess_ = std::max(excess_, 0.05);  // what another arm left in the caches
    return times;
  }

 private:
  SimulatedMachine& machine_;
  double factor_;
  double excess_ = machine_.model().warmup_excess;
};

}  // namespace

std::span<const NoiseModel> noise_models() { return kModels; }

double SimulatedMachine::slowness() const {
  double slowness = std::exp(wander_ + model_.drift_per_second * seconds_);
  if (slow_clock_) slowness *= model_.clock_ratio;
  if (seconds_ < burst_until_) slowness *= 1 + model_.burst_excess;
  return slowness;
}

void SimulatedMachine::pass(double seconds) {
  seconds_ += seconds;
  if (model_.wander > 0) {
    const double kept = std::exp(-seconds / model_.wander_seconds);
    wander_ = wander_ * kept + model_.wander * std::sqrt(1 - kept * kept) * random_.normal();
  }
  if (model_.clock_ratio > 0) {
    // Two states that are left at the same rate: the chance to be in the other one after `seconds`.
    const double changed = (1 - std::exp(-2 * seconds / model_.clock_seconds)) / 2;
    if (random_.uniform() < changed) slow_clock_ = !slow_clock_;
  }
  if (model_.burst_excess > 0 && seconds_ >= next_burst_) {
    burst_until_ = seconds_ + random_.exponential(model_.burst_seconds);
    next_burst_ = burst_until_ + random_.exponential(model_.burst_gap_seconds);
  }
}

double SimulatedMachine::run_ns(double undisturbed_ns) {
  double time = undisturbed_ns * slowness() * std::exp(model_.jitter * random_.normal());
  if (random_.uniform() < model_.outlier_chance) time *= 1 + 0.05 / std::sqrt(random_.uniform());
  pass(time / 1e9);
  return time;
}

LaunchWorker SimulatedMachine::launcher(std::vector<double> factors) {
  return [this, factors = std::move(factors)](std::size_t arm) -> Result<std::unique_ptr<Worker>> {
    if (arm >= factors.size()) return internal_error("the simulated machine has no such arm");
    return std::unique_ptr<Worker>(std::make_unique<SimulatedWorker>(*this, factors[arm]));
  };
}

Surroundings SimulatedMachine::surroundings() {
  return {[this] {
            const double time = kSentinelNs * slowness() * (1 + 0.002 * std::fabs(random_.normal()));
            pass(5 * time / 1e9);
            return time;
          },
          [this] { return static_cast<std::uint64_t>(seconds_ * 1e9); },
          [this](double seconds) { pass(seconds); },
          [] { return std::string("2000-01-01T00:00:00Z"); },
          {}};
}

}  // namespace etalon::measure
