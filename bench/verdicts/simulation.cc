#include <cstdio>
#include <memory>

#include "measure/simulated_machine.h"
#include "trials.h"

namespace etalon::bench {

Result<std::vector<Row>> run_simulated(const TrialOptions& options) {
  std::vector<double> factors;
  for (const InjectedArm& arm : kArms) factors.push_back(arm.factor);
  std::vector<Row> all;
  for (const measure::NoiseModel& model : measure::noise_models()) {
    std::unique_ptr<measure::SimulatedMachine> machine;
    const auto fresh = [&](std::size_t trial) -> Result<TrialMachine> {
      machine = std::make_unique<measure::SimulatedMachine>(model, options.seed * 7919 + trial);
      return TrialMachine{machine->launcher(factors), machine->surroundings()};
    };
    ETALON_TRY(std::vector<Row> rows,
               run_trials(std::string(model.name), options, fresh, [](std::size_t) { return true; }));
    std::fprintf(stderr, "simulated: %s\n", std::string(model.name).c_str());
    all.insert(all.end(), rows.begin(), rows.end());
  }
  return all;
}

}  // namespace etalon::bench
