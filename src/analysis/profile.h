// One profile: a recording of repeated runs, reduced to operators, categories and an account that adds up.
//
// Times are exclusive and averaged over the usual ones of the steady runs (timed_recording.h), so that a run which was
// interrupted does not decide where the time goes; cold runs are reported apart. Operator times are scaled
// to the untraced end-to-end time where it is known, so that
//     operators + framework + residual = end to end        (exactly)
// with `framework` the dispatch around kernels and inside delegate calls, and `residual` what lies in no
// instruction. What was not measured is absent, never zero. Pure functions of their arguments, thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "analysis/source.h"
#include "analysis/taxonomy.h"
#include "formats/etdump/etdump.h"
#include "formats/etdump/view.h"

namespace etalon::analysis {

struct OperatorRow {
  std::string name;     // the event: "native_call_convolution.out", "Convolution (NHWC, F32) IGEMM #1"
  std::string op_type;  // "aten.convolution.default" with a record, else "convolution.out"
  std::string category;
  std::int64_t instruction = -1;
  std::size_t order = 0;  // among the operators of a run, as they were executed
  bool delegated = false;
  std::string backend;      // "portable", "XnnpackBackend", "delegated" when the record does not name it
  std::string kernel_hint;  // the kernel's name where the runner tells, else "IGEMM" from a delegate's label
  std::string isa;          // of the kernel; empty, as the next ones: no evidence
  std::string wanted_isa;   // the best that was allowed
  std::string isa_reason;   // why `isa` is not `wanted_isa`
  std::string tile;
  std::uint32_t kernel_threads = 0;  // how many may share the work
  std::string dtype;        // it computes in: "float32", from the program file, or "F32" from a label; empty: unknown
  double calls = 0;         // per run
  double avg_ms = 0;        // scaled to the untraced end to end
  double median_ms = 0;
  double traced_avg_ms = 0;  // as recorded, over all steady runs
  double share = 0;          // of the end to end, 0..1
  // Median of each traced launch, scaled; one entry when there was one launch. For inference per operator.
  std::vector<double> launch_ms;
  bool below_resolution = false;  // shorter than the clock of the delegate that reported it can tell

  // Places in the delegate's list of nodes, where the runner tells what the event stands for; empty: nothing in the model.
  std::optional<std::vector<std::size_t>> payload_nodes;

  // From the program file; empty and absent where it is not at hand or does not fit the recording.
  std::string shape;           // "1x56x56x64 -> 1x56x56x128"
  std::vector<std::size_t> nodes;  // into ModelFacts::nodes: what this event computed, fused parts included
  std::string unmapped;         // why `nodes` is empty although the program file is at hand
  std::optional<double> flops;  // per call of the model, as are the bytes
  std::optional<double> bytes;  // read and written, with weights
  std::optional<double> gflops_per_second;
  std::optional<double> gbytes_per_second;
  // From the machine's measured ceilings.
  std::optional<double> attainable_ms;   // the least time by the roofline
  std::optional<double> share_of_roof;   // attainable / avg, 0..1 and above where caches help
  std::string bound;                     // "compute", "memory"; empty: unknown
  std::string roof;                      // the ceiling that was applied: "float32 avx512", "L2"
  std::optional<Source> source;
};

struct CategoryRow {
  std::string name;
  double ms = 0;
  double share = 0;           // of the end to end
  std::size_t operators = 0;  // rows
};

// Operators whose kernels have the same instruction set for the same reason.
struct IsaRow {
  std::string isa;
  std::string wanted_isa;
  std::string reason;  // why they differ; empty when they do not
  std::size_t operators = 0;
  double ms = 0;
};

// Memory by cause, in bytes; what was not measured is absent.
struct MemoryLedger {
  std::optional<double> weights;         // constants in the program file
  std::optional<double> packed_weights;  // copies that kernels made of them
  std::optional<double> activations;     // planned memory of the program
  std::optional<double> workspace;       // what delegates and kernels use besides
  std::optional<double> peak_rss;        // of the process
  std::optional<double> baseline_rss;    // of the process before it loaded the model
};

// How the recording itself disturbed what it recorded.
struct TraceCost {
  std::size_t events = 0;            // per run
  double ns_per_event = 0;           // estimated from traced and untraced runs of one session
};

struct Accounting {
  double operators_ms = 0;
  double framework_ms = 0;
  double residual_ms = 0;
  double end_to_end_ms = 0;              // the sum of the three
  std::optional<double> untraced_ms;     // median of the untraced runs; end_to_end_ms equals it when present
  double traced_ms = 0;                  // mean of the recorded runs that are averaged
  double scale = 1;                      // end_to_end_ms / traced_ms
  std::optional<double> trace_overhead;  // traced / untraced - 1, of medians where they are known
};

struct Profile {
  std::string name;  // "experiment, 1 thread", for people
  std::string experiment;
  std::uint32_t threads = 0;   // 0: unknown
  std::string etdump;          // path as given
  std::size_t event_rows = 0;  // distinct events, as the timeline's node_id counts them
  std::size_t cold_runs = 0;
  std::size_t steady_runs = 0;
  std::size_t unusable_events = 0;
  std::vector<OperatorRow> operators;   // most expensive first
  std::vector<CategoryRow> categories;  // most expensive first; they sum to accounting.operators_ms
  std::vector<IsaRow> isas;  // most expensive first; empty without evidence
  Accounting accounting;
  std::optional<double> cold_ms;    // the first run, traced or, when known, untraced
  std::optional<double> steady_ms;  // comparable with cold_ms
  std::optional<double> load_ms;
  MemoryLedger memory;
  std::optional<TraceCost> trace_cost;
  std::string dtype;                // of most of the arithmetic, where the program is known
  std::vector<std::size_t> launch_runs;  // steady recorded runs of each traced launch
  bool has_record = false;          // an export record was given and fits
  bool has_facts = false;           // the program file was given and fits
  bool microsecond_events = false;  // a delegate reports whole microseconds
};

struct ProfileOptions {
  std::optional<std::size_t>
      warmup_runs;  // recorded runs of each launch before its steady ones; absent: 1 when there are several
  std::optional<double> untraced_ms;       // median end to end without tracing
  std::optional<double> traced_ms;         // mean end to end with tracing, by the clock that gave untraced_ms
  std::optional<double> traced_median_ms;  // the same clock; an outlier must not look like overhead
  std::optional<double> first_untraced_ms;
  std::optional<double> load_ms;
  std::vector<std::size_t> launch_runs;  // recorded runs of each launch, those included; empty: one launch
};

// Errors (kInvalidInput): the recording holds no execution.
Result<Profile> make_profile(const formats::etdump::EtDump& dump, const SourceMap& sources,
                             const Taxonomy& taxonomy, const ProfileOptions& options);
// The same from a file in place, in one pass and little memory.
Result<Profile> make_profile(const formats::etdump::EtDumpView& dump, const SourceMap& sources,
                             const Taxonomy& taxonomy, const ProfileOptions& options);

// ---- every event of every run, for the timeline files ----

struct TimelineRow {
  std::string name;
  std::string type;  // the name without " #k"
  std::string backend;
  std::string block;  // "Default", "Execute"
  double start_us = 0;
  double end_us = 0;
  double duration_ms = 0;
  double exclusive_ms = 0;
  double percent_of_run = 0;  // exclusive, so that a run's rows sum to 100
  std::size_t node_id = 0;    // the same event in every run
  std::size_t run_index = 0;  // within its block
};

// Ordered by node, then run.
std::vector<TimelineRow> make_timeline(const formats::etdump::EtDump& dump, const SourceMap& sources);
Result<std::vector<TimelineRow>> make_timeline(const formats::etdump::EtDumpView& dump, const SourceMap& sources);

}  // namespace etalon::analysis
