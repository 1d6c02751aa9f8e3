#include "measure/experiment.h"

#include <fmt/core.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <set>

#include "base/file.h"
#include "measure/json_fields.h"
#include "platform/process.h"

namespace etalon::measure {
namespace {

using nlohmann::json;

constexpr std::uint32_t kMaxRuns = 1'000'000;
constexpr std::uint32_t kMaxThreads = 1024;
constexpr std::size_t kMaxExperiments = 1000;
constexpr std::size_t kMaxConfigBytes = std::size_t{16} << 20;

struct ModeName {
  Mode mode;
  std::string_view name;
};
constexpr ModeName kModes[] = {{Mode::kTiming, "timing"},
                               {Mode::kXnntrace, "xnntrace"},
                               {Mode::kOps, "ops"},
                               {Mode::kKernels, "kernels"}};

Result<Mode> mode_of(const Fields& fields) {
  ETALON_TRY(const std::string text, fields.text("mode", "timing"));
  for (const ModeName& known : kModes) {
    if (known.name == text) return known.mode;
  }
  return invalid_input(
      fmt::format("{}: found \"{}\", want timing, xnntrace, ops or kernels", fields.at("mode"), text));
}

// The Arm kit's name and ours for one thing; giving both is a contradiction waiting to happen.
Result<const char*> one_of(const Fields& fields, const char* name, const char* old_name) {
  if (fields.find(name) != nullptr && fields.find(old_name) != nullptr) {
    return invalid_input(
        fmt::format("{} and {} are the same setting; keep one", fields.at(name), fields.at(old_name)));
  }
  return fields.find(old_name) != nullptr ? old_name : name;
}

Result<std::vector<std::uint32_t>> threads_of(const Fields& fields) {
  ETALON_TRY(const char* name, one_of(fields, "threads", "num_threads"));
  const json* value = fields.find(name);
  if (value == nullptr) return std::vector<std::uint32_t>{1};
  std::vector<std::uint32_t> threads;
  const json list = value->is_array() ? *value : json::array({*value});
  for (const json& item : list) {
    const std::string where =
        value->is_array() ? fmt::format("{}[{}]", fields.at(name), threads.size()) : fields.at(name);
    ETALON_TRY(const std::uint32_t count, count_value(item, where, 1, kMaxThreads));
    if (std::find(threads.begin(), threads.end(), count) != threads.end()) {
      return invalid_input(fmt::format("{}: {} is given twice", fields.at(name), count));
    }
    threads.push_back(count);
  }
  if (threads.empty())
    return invalid_input(fmt::format("{}: found an empty list, want [1]", fields.at(name)));
  return threads;
}

Result<std::uint64_t> cpu_mask_of(const Fields& fields) {
  const json* value = fields.find("cpu_affinity");
  if (value == nullptr) return std::uint64_t{0};
  std::uint64_t mask = 0;
  if (value->is_number_unsigned()) mask = value->get<std::uint64_t>();
  if (value->is_string()) {
    const std::string text = value->get<std::string>();
    char* end = nullptr;
    errno = 0;
    // taskset's masks are hexadecimal with or without 0x.
    mask = text.empty() || text.front() == '-' ? 0 : std::strtoull(text.c_str(), &end, 16);
    if (end == nullptr || *end != '\0' || errno != 0) mask = 0;
  }
  if (mask == 0) {
    return invalid_input(fmt::format("{}: found {}, want a mask such as \"0x80\"", fields.at("cpu_affinity"),
                                     describe(*value)));
  }
  return mask;
}

Result<std::string> experiment_name(const Fields& fields) {
  ETALON_TRY(std::string name, fields.text("name", ""));
  if (name.empty())
    return invalid_input(fmt::format("{}: missing; every experiment needs a name", fields.at("name")));
  const bool unsafe =
      name.front() == '.' || name.size() > 100 || std::any_of(name.begin(), name.end(), [](char c) {
        return c == '/' || c == '\\' || c == '#' || static_cast<unsigned char>(c) < ' ';
      });
  if (unsafe) {
    return invalid_input(fmt::format("{}: \"{}\" cannot name a folder; use letters, digits, '-' and '_'",
                                     fields.at("name"), name.substr(0, 100)));
  }
  return name;
}

Result<std::string> power_of(const Fields& fields) {
  ETALON_TRY(std::string power, fields.text("power", "leave"));
  if (power != "boost" && power != "app" && power != "leave") {
    return invalid_input(
        fmt::format("{}: found \"{}\", want boost, app or leave", fields.at("power"), power));
  }
  return power == "leave" ? std::string() : power;
}

Status check_own_runner(const Experiment& experiment, const Fields& fields) {
  if (experiment.runner_path.empty() || (experiment.engine.empty() && experiment.isa.empty())) return {};
  return invalid_input(fmt::format("{}: works with our own runner only; remove it or runner_path",
                                   fields.at(experiment.engine.empty() ? "isa" : "engine")));
}

Result<Experiment> parse_experiment(const json& value, const std::string& where) {
  const Fields fields(value, where);
  ETALON_CHECKED(fields.check_names({"name", "runner_path", "quiet_runner", "mode", "runs", "num_runs",
                                     "warmup", "threads", "num_threads", "engine", "isa", "inputs",
                                     "extra_args", "env", "cpu_affinity", "power"}));
  Experiment experiment;
  ETALON_TRY(experiment.name, experiment_name(fields));
  ETALON_TRY(const char* runner, one_of(fields, "runner_path", "quiet_runner"));
  ETALON_TRY(experiment.runner_path, fields.text(runner, ""));
  ETALON_TRY(experiment.mode, mode_of(fields));
  ETALON_TRY(const char* runs, one_of(fields, "runs", "num_runs"));
  ETALON_TRY(experiment.runs, fields.count(runs, 100, 1, kMaxRuns));
  ETALON_TRY(experiment.warmup, fields.count("warmup", 10, 0, kMaxRuns));
  ETALON_TRY(experiment.threads, threads_of(fields));
  ETALON_TRY(experiment.engine, fields.text("engine", ""));
  ETALON_TRY(experiment.isa, fields.text("isa", ""));
  ETALON_TRY(experiment.inputs, fields.texts("inputs"));
  ETALON_TRY(experiment.extra_args, fields.texts("extra_args"));
  ETALON_TRY(experiment.environment, fields.text_map("env"));
  ETALON_TRY(experiment.cpu_mask, cpu_mask_of(fields));
  ETALON_TRY(experiment.power, power_of(fields));
  ETALON_CHECKED(check_own_runner(experiment, fields));
  return experiment;
}

Status parse_experiments(const Fields& fields, Config& config) {
  const json* list = fields.find("experiments");
  if (list == nullptr) return invalid_input("experiments: missing; add at least one experiment");
  if (!list->is_array())
    return invalid_input(fmt::format("experiments: found {}, want a list", describe(*list)));
  if (list->empty()) return invalid_input("experiments: the list is empty; add at least one experiment");
  if (list->size() > kMaxExperiments) {
    return resource_error(
        fmt::format("experiments: found {}, the limit is {}", list->size(), kMaxExperiments));
  }
  std::set<std::string> names;
  for (std::size_t i = 0; i < list->size(); ++i) {
    ETALON_TRY(Experiment experiment, parse_experiment((*list)[i], fmt::format("experiments[{}]", i)));
    if (!names.insert(experiment.name).second) {
      return invalid_input(fmt::format("experiments[{}].name: \"{}\" is used twice; names must be unique", i,
                                       experiment.name));
    }
    config.experiments.push_back(std::move(experiment));
  }
  return {};
}

Result<RunReference> parse_reference(const Fields& pair, const char* side, const Config& config) {
  const json* value = pair.find(side);
  if (value == nullptr) return invalid_input(fmt::format("{}: missing", pair.at(side)));
  const Fields fields(*value, pair.at(side));
  ETALON_CHECKED(fields.check_names({"experiment", "threads"}));
  RunReference reference;
  ETALON_TRY(reference.experiment, fields.text("experiment", ""));
  const auto found =
      std::find_if(config.experiments.begin(), config.experiments.end(),
                   [&](const Experiment& known) { return known.name == reference.experiment; });
  if (found == config.experiments.end()) {
    std::vector<std::string_view> names;
    for (const Experiment& known : config.experiments) names.push_back(known.name);
    return invalid_input(fmt::format("{}: no experiment is named \"{}\"; there are {}",
                                     fields.at("experiment"), reference.experiment, fmt::join(names, ", ")));
  }
  ETALON_TRY(reference.threads, fields.count("threads", found->threads.front(), 1, kMaxThreads));
  if (std::find(found->threads.begin(), found->threads.end(), reference.threads) == found->threads.end()) {
    return invalid_input(fmt::format("{}: \"{}\" does not run with {} threads; it has {}",
                                     fields.at("threads"), reference.experiment, reference.threads,
                                     fmt::join(found->threads, ", ")));
  }
  return reference;
}

Status parse_compare_pairs(const Fields& analysis, Config& config) {
  const json* list = analysis.find("compare_pairs");
  if (list == nullptr) return {};
  if (!list->is_array()) {
    return invalid_input(
        fmt::format("{}: found {}, want a list", analysis.at("compare_pairs"), describe(*list)));
  }
  for (std::size_t i = 0; i < list->size(); ++i) {
    const Fields fields((*list)[i], fmt::format("analysis.compare_pairs[{}]", i));
    ETALON_CHECKED(fields.check_names({"label", "baseline", "candidate"}));
    ComparePair pair;
    ETALON_TRY(pair.label, fields.text("label", ""));
    ETALON_TRY(pair.baseline, parse_reference(fields, "baseline", config));
    ETALON_TRY(pair.candidate, parse_reference(fields, "candidate", config));
    config.compare_pairs.push_back(std::move(pair));
  }
  return {};
}

Status parse_analysis(const Fields& fields, Config& config) {
  const json* value = fields.find("analysis");
  if (value == nullptr) return {};
  const Fields analysis(*value, "analysis");
  ETALON_CHECKED(analysis.check_names({"compare_pairs", "categories"}));
  ETALON_CHECKED(parse_compare_pairs(analysis, config));
  const json* categories = analysis.find("categories");
  if (categories == nullptr) return {};
  if (!categories->is_object()) {
    return invalid_input(fmt::format(
        "analysis.categories: found {}, want an object: name -> list of operators", describe(*categories)));
  }
  const Fields table(*categories, "analysis.categories");
  for (const auto& [name, operators] : categories->items()) {
    ETALON_TRY(config.categories[name], table.texts(name.c_str()));
  }
  return {};
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? std::string(".") : path.substr(0, slash == 0 ? 1 : slash);
}

std::string beside(const std::string& config_path, const std::string& path) {
  return config_path.empty() || path.starts_with('/') ? path : folder_of(config_path) + "/" + path;
}

bool is_regular_file(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode);
}

Result<std::string> existing_file(const Config& config, const std::string& path, const std::string& what) {
  if (is_regular_file(path)) return path;
  const std::string other = beside(config.path, path);
  if (is_regular_file(other)) return other;
  const std::string tried = other == path ? "" : fmt::format(" (also not at {})", other);
  return not_found(fmt::format("{}: {}: no such file{}", what, path, tried));
}

Result<std::string> existing_runner(const Config& config, const std::string& path, const std::string& what) {
  // The Arm kit keeps runners below a checkout named `executorch` in the working folder.
  for (const std::string& candidate : {path, beside(config.path, path), "executorch/" + path}) {
    if (!is_regular_file(candidate)) continue;
    if (platform::is_executable(candidate))
      return candidate.find('/') == std::string::npos ? "./" + candidate : candidate;
    return invalid_input(fmt::format("{}: {} is not executable; chmod +x it", what, candidate));
  }
  if (path.find('/') == std::string::npos && platform::is_executable(path)) return path;
  return not_found(fmt::format(
      "{}: {}: no such runner; build it, correct the path, or remove the field to use our own", what, path));
}

Status check_experiment(const Config& config, std::size_t index, Experiment& experiment) {
  const std::string where = fmt::format("experiments[{}]", index);
  if (!experiment.runner_path.empty()) {
    ETALON_TRY(experiment.runner_path,
               existing_runner(config, experiment.runner_path, where + ".runner_path"));
  }
  for (std::size_t i = 0; i < experiment.inputs.size(); ++i) {
    ETALON_TRY(experiment.inputs[i],
               existing_file(config, experiment.inputs[i], fmt::format("{}.inputs[{}]", where, i)));
  }
  if (experiment.power.empty()) return {};
  return unsupported(fmt::format("{}.power: found \"{}\"; power settings are those of Android devices, and this runs on the "
                                 "host; leave the field out, or set it to \"leave\"",
                                 where, experiment.power));
}

}  // namespace

std::string_view mode_name(Mode mode) {
  for (const ModeName& known : kModes) {
    if (known.mode == mode) return known.name;
  }
  return "timing";
}

std::string_view design_name(Design design) {
  return design == Design::kInterleaved ? "interleaved" : "sequential";
}

Result<Config> parse_config(std::string_view text) {
  ETALON_TRY(const json root, parse_strict_json(text));
  const Fields fields(root, "");
  ETALON_CHECKED(
      fields.check_names({"model", "output_root", "platform", "experiments", "design", "analysis"}));
  Config config;
  ETALON_TRY(config.model, fields.text("model", ""));
  if (config.model.empty()) return invalid_input("model: missing; name the .pte file");
  ETALON_TRY(config.output_root, fields.text("output_root", ""));
  ETALON_TRY(config.platform, fields.text("platform", "host"));
  ETALON_TRY(const std::string design, fields.text("design", "interleaved"));
  if (design != "interleaved" && design != "sequential") {
    return invalid_input(fmt::format("design: found \"{}\", want interleaved or sequential", design));
  }
  config.design = design == "sequential" ? Design::kSequential : Design::kInterleaved;
  ETALON_CHECKED(parse_experiments(fields, config));
  ETALON_CHECKED(parse_analysis(fields, config));
  return config;
}

Result<Config> load_config(const std::string& path) {
  ETALON_TRY(const std::string text, read_text_file(path, kMaxConfigBytes));
  ETALON_TRY(Config config, parse_config(text), path);
  config.path = path;
  return config;
}

Status check_files(Config& config) {
  if (config.platform != "host") {
    return unsupported(
        fmt::format("platform: found \"{}\"; runs on this machine (\"host\") only so far", config.platform));
  }
  ETALON_TRY(config.model, existing_file(config, config.model, "model"));
  for (std::size_t i = 0; i < config.experiments.size(); ++i) {
    ETALON_CHECKED(check_experiment(config, i, config.experiments[i]));
  }
  const std::string_view mark = "<model>";
  for (std::size_t at = config.output_root.find(mark); at != std::string::npos;
       at = config.output_root.find(mark)) {
    config.output_root.replace(at, mark.size(), model_name_of(config.model).substr(0, 100));
  }
  return {};
}

std::string model_name_of(const std::string& model_path) {
  std::string name = model_path.substr(model_path.rfind('/') + 1);
  const std::size_t dot = name.rfind('.');
  if (dot != std::string::npos && dot > 0) name.resize(dot);
  return name;
}

std::string default_output_root(const std::string& model_path, std::string_view system) {
  const std::string folder = folder_of(model_path);
  if (folder == "artifacts") return fmt::format("runs/{}", system);
  if (folder.ends_with("/artifacts")) return fmt::format("{}/runs/{}", folder_of(folder), system);
  return fmt::format("out_{}/runs/{}", model_name_of(model_path), system);
}

}  // namespace etalon::measure
