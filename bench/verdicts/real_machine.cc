#include <fmt/core.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <memory>
#include <thread>

#include "measure/random.h"
#include "measure/worker_process.h"
#include "platform/clock.h"
#include "trials.h"

namespace etalon::bench {
namespace {

constexpr std::uint32_t kSteps = 600;  // of the kernel at factor 1: about 0.1 ms
constexpr std::size_t kValues = 256;

// Arithmetic that vectorises, on values that stay in the first cache; as long as `steps` and nothing else.
[[gnu::noinline]] float arithmetic(std::array<float, kValues>& values, std::uint32_t steps) {
  for (std::uint32_t step = 0; step < steps; ++step) {
    for (float& value : values) value = value * 0.999F + (value - 0.5F) * (value + 0.25F) * 0.001F;
    asm volatile("" : : "r"(values.data()) : "memory");
  }
  return values[0];
}

// Busy for a while, then asleep for a while: half arithmetic, half memory that no cache holds.
void disturb(std::uint64_t seed, const std::atomic<bool>& stop) {
  measure::Random random(seed);
  std::vector<std::uint64_t> memory(std::size_t{2} << 20, 1);
  std::uint64_t sum = 0;
  while (!stop) {
    const double busy = random.exponential(0.04);
    const bool stream = random.uniform() < 0.5;
    const std::uint64_t end = platform::now_ns() + static_cast<std::uint64_t>(busy * 1e9);
    while (!stop && platform::now_ns() < end) {
      for (int i = 0; i < 4096; ++i) {
        sum = sum * 6364136223846793005U + 1442695040888963407U;
        if (stream) memory[sum % memory.size()] += sum;
      }
    }
    asm volatile("" : : "r"(sum));
    const double idle = std::min(random.exponential(0.12), 1.0);
    std::this_thread::sleep_for(std::chrono::duration<double>(idle));
  }
}

Result<std::vector<std::unique_ptr<measure::Worker>>> start_disturbers(const std::string& program,
                                                                       const TrialOptions& options) {
  std::vector<std::unique_ptr<measure::Worker>> disturbers;
  for (std::uint32_t i = 0; i < options.disturbers; ++i) {
    measure::WorkerCommand command;
    command.argv = {program, "--disturb-process", std::to_string(options.seed + i)};
    ETALON_TRY(disturbers.emplace_back(), measure::launch_worker_process(command));
  }
  return disturbers;
}

}  // namespace

Status serve_kernel(double factor) {
  std::array<float, kValues> values{};
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = 0.001F * static_cast<float>(i);
  const auto steps = static_cast<std::uint32_t>(std::lround(kSteps * factor));
  float kept = 0;
  const Status status = measure::serve_worker(STDIN_FILENO, STDOUT_FILENO,
                                              [&](std::uint32_t runs) -> Result<std::vector<double>> {
                                                std::vector<double> times(runs);
                                                for (double& time : times) {
                                                  const std::uint64_t start = platform::now_ns();
                                                  kept += arithmetic(values, steps);
                                                  time = static_cast<double>(platform::now_ns() - start);
                                                }
                                                return times;
                                              });
  asm volatile("" : : "r"(&kept) : "memory");
  return status;
}

Status serve_disturbance(std::uint64_t seed) {
  std::atomic<bool> stop{false};
  std::thread busy([&] { disturb(seed, stop); });
  const Status status = measure::serve_worker(
      STDIN_FILENO, STDOUT_FILENO,
      [](std::uint32_t runs) -> Result<std::vector<double>> { return std::vector<double>(runs, 1); });
  stop = true;
  busy.join();
  return status;
}

Result<std::vector<Row>> run_real(const std::string& own_program, const TrialOptions& options) {
  ETALON_TRY(const auto disturbers, start_disturbers(own_program, options));
  const auto machine = [&](std::size_t) -> Result<TrialMachine> {
    return TrialMachine{[&](std::size_t arm) {
                          measure::WorkerCommand command;
                          command.argv = {own_program, "--worker", fmt::format("{}", kArms[arm].factor)};
                          return measure::launch_worker_process(command);
                        },
                        measure::real_surroundings()};
  };
  const std::uint64_t start = platform::now_ns();
  const auto go_on = [&](std::size_t done) {
    const double passed = static_cast<double>(platform::now_ns() - start) / 1e9;
    if (done > 0 && done % 10 == 0) std::fprintf(stderr, "real: %zu trials in %.0f s\n", done, passed);
    return options.seconds <= 0 || passed < options.seconds;
  };
  return run_trials(fmt::format("this machine, {} disturbers", options.disturbers), options, machine, go_on);
}

}  // namespace etalon::bench
