#include "backends/executorch/stock_runtime.h"

#include <executorch/devtools/etdump/etdump_flatcc.h>
#include <executorch/extension/data_loader/buffer_data_loader.h>
#include <executorch/extension/flat_tensor/flat_tensor_data_map.h>
#include <executorch/extension/memory_allocator/malloc_memory_allocator.h>
#include <executorch/extension/threadpool/threadpool_guard.h>
#include <executorch/runtime/executor/method.h>
#include <executorch/runtime/executor/program.h>
#include <executorch/runtime/platform/runtime.h>
#include <fmt/core.h>

#include <array>
#include <cstdlib>

#include "base/file.h"

// The SDK exports the thread pool and leaves out its header; these are its declarations, without what we do not call.
namespace executorch::extension::threadpool {
class ThreadPool {
 public:
  std::size_t get_thread_count() const;
  bool _unsafe_reset_threadpool(std::uint32_t count);
};
ThreadPool* get_threadpool();
}  // namespace executorch::extension::threadpool
namespace executorch::extension::cpuinfo {
std::uint32_t get_num_performant_cores();
}  // namespace executorch::extension::cpuinfo

namespace etalon::stock {
namespace {

namespace et = ::executorch::runtime;
namespace ext = ::executorch::extension;

std::string status_text(et::Error error) { return fmt::format("status 0x{:x}", static_cast<std::uint32_t>(error)); }

Error error_of(et::Error error, std::string_view what) {
  const std::string text = fmt::format("ExecuTorch: {} ({})", what, status_text(error));
  switch (error) {
    case et::Error::NotSupported:
    case et::Error::NotImplemented:
    case et::Error::OperatorMissing:
    case et::Error::NotFound: return unsupported(text);
    case et::Error::MemoryAllocationFailed:
    case et::Error::OutOfResources: return resource_error(text);
    default: return invalid_input(text);
  }
}

// Records executions only while it is switched on, so that warm-up stays out of the file; and, on demand, nothing but
// whole executions.
class Recorder final : public ::executorch::etdump::ETDumpGen {
 public:
  explicit Recorder(bool operators) : operators_(operators) {}

  void record(bool on) { paused_ = !on; }

  void create_event_block(const char* name) override {
    if (!paused_) ETDumpGen::create_event_block(name);
  }
  et::EventTracerEntry start_profiling(const char* name, et::ChainID chain, et::DebugHandle handle) override {
    if (!keeps(name)) return {};
    return ETDumpGen::start_profiling(name, chain, handle);
  }
  void end_profiling(et::EventTracerEntry entry) override {
    if (!is_empty(entry)) ETDumpGen::end_profiling(entry);
  }
  et::EventTracerEntry start_profiling_delegate(const char* name, et::DelegateDebugIntId id) override {
    if (paused_ || !operators_) return {};
    return ETDumpGen::start_profiling_delegate(name, id);
  }
  void end_profiling_delegate(et::EventTracerEntry entry, const void* metadata, std::size_t size) override {
    if (!is_empty(entry)) ETDumpGen::end_profiling_delegate(entry, metadata, size);
  }
  void log_profiling_delegate(const char* name, et::DelegateDebugIntId id, et_timestamp_t start, et_timestamp_t end,
                              const void* metadata, std::size_t size) override {
    if (!paused_ && operators_) ETDumpGen::log_profiling_delegate(name, id, start, end, metadata, size);
  }
  void track_allocation(et::AllocatorID id, std::size_t size) override {
    if (!paused_ && operators_) ETDumpGen::track_allocation(id, size);
  }

 private:
  bool keeps(const char* name) const {
    if (paused_) return false;
    return operators_ || std::string_view(name).starts_with("Method::");
  }
  // Every real entry has a start time.
  static bool is_empty(const et::EventTracerEntry& entry) { return entry.start_time == 0; }

  bool operators_;
  bool paused_ = false;
};

Result<DType> dtype_of(::executorch::aten::ScalarType type) {
  const auto dtype = dtype_from_number(static_cast<std::int64_t>(type));
  if (!dtype) return unsupported(fmt::format("tensors of dtype number {}", static_cast<int>(type)));
  return *dtype;
}

template <class Sizes, class Order>
Result<TensorView> view_of(::executorch::aten::ScalarType type, const Sizes& sizes, const Order& order, void* data) {
  ETALON_TRY(const DType dtype, dtype_of(type));
  const std::vector<std::int64_t> wide(sizes.begin(), sizes.end());
  ETALON_TRY(const Dims dims, make_dims(wide));
  DimOrder dim_order;
  for (const auto dim : order) dim_order.push_back(static_cast<std::uint8_t>(dim));
  return TensorView(dtype, dims, dim_order, data);
}

}  // namespace

std::string version() { return ETALON_EXECUTORCH_VERSION; }
std::string revision() { return ETALON_EXECUTORCH_REVISION; }

std::size_t set_threads(int wanted) {
  auto* pool = ext::threadpool::get_threadpool();
  if (pool == nullptr) return 1;
  const std::uint32_t count = wanted > 0 ? static_cast<std::uint32_t>(wanted) : ext::cpuinfo::get_num_performant_cores();
  if (count > 0) pool->_unsafe_reset_threadpool(count);
  return pool->get_thread_count();
}

struct Program::State {
  ext::BufferDataLoader loader;
  std::unique_ptr<ext::BufferDataLoader> data_loader;
  std::unique_ptr<ext::FlatTensorDataMap> data;
  std::unique_ptr<et::Program> program;
};

Program::Program(std::unique_ptr<State> state) : state_(std::move(state)) {}
Program::Program(Program&&) noexcept = default;
Program& Program::operator=(Program&&) noexcept = default;
Program::~Program() = default;

Result<Program> Program::open(Bytes program, Bytes data) {
  et::runtime_init();
  auto state = std::unique_ptr<State>(new State{ext::BufferDataLoader(program.data(), program.size()), {}, {}, {}});
  auto loaded = et::Program::load(&state->loader, et::Program::Verification::InternalConsistency);
  if (!loaded.ok()) return error_of(loaded.error(), "the program cannot be read");
  state->program = std::make_unique<et::Program>(std::move(*loaded));
  if (!data.empty()) {
    state->data_loader = std::make_unique<ext::BufferDataLoader>(data.data(), data.size());
    auto map = ext::FlatTensorDataMap::load(state->data_loader.get());
    if (!map.ok()) return error_of(map.error(), "the external data file cannot be read");
    state->data = std::make_unique<ext::FlatTensorDataMap>(std::move(*map));
  }
  if (state->program->num_methods() == 0) return invalid_input("the program has no methods");
  return Program(std::move(state));
}

std::vector<std::string> Program::method_names() const {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < state_->program->num_methods(); ++i) {
    if (const auto name = state_->program->get_method_name(i); name.ok()) names.emplace_back(*name);
  }
  return names;
}

std::optional<std::size_t> Program::external_keys() const {
  if (state_->data == nullptr) return std::nullopt;
  const auto keys = state_->data->get_num_keys();
  return keys.ok() ? *keys : 0;
}

// What the inputs of one method point to: ExecuTorch borrows these arrays.
struct InputTensor {
  std::array<::executorch::aten::SizesType, kMaxRank> sizes{};
  std::array<::executorch::aten::DimOrderType, kMaxRank> order{};
  std::array<::executorch::aten::StridesType, kMaxRank> strides{};
  std::unique_ptr<::executorch::aten::TensorImpl> tensor;
};

struct Method::State {
  std::vector<std::vector<std::uint8_t>> buffers;
  std::vector<et::Span<std::uint8_t>> spans;
  std::unique_ptr<et::HierarchicalAllocator> planned;
  ext::MallocMemoryAllocator method_memory;
  ext::MallocMemoryAllocator temporary_memory;
  std::unique_ptr<et::MemoryManager> memory;
  std::unique_ptr<Recorder> recorder;
  std::vector<std::int64_t> buffer_sizes;
  std::vector<InputTensor> inputs;
  std::unique_ptr<et::Method> method;
};

Method::Method(std::unique_ptr<State> state) : state_(std::move(state)) {}
Method::Method(Method&&) noexcept = default;
Method& Method::operator=(Method&&) noexcept = default;
Method::~Method() = default;

Result<Method> Method::load(const Program& program, const std::string& name, const Options& options) {
  auto state = std::make_unique<State>();
  const auto meta = program.state_->program->method_meta(name.c_str());
  if (!meta.ok()) return not_found(fmt::format("the program has no method {}", name));
  for (std::size_t i = 0; i < meta->num_memory_planned_buffers(); ++i) {
    const auto size = meta->memory_planned_buffer_size(i);
    if (!size.ok() || *size < 0) return invalid_input("a planned buffer has no size");
    state->buffer_sizes.push_back(*size);
    state->buffers.emplace_back(static_cast<std::size_t>(*size));
  }
  for (auto& buffer : state->buffers) state->spans.emplace_back(buffer.data(), buffer.size());
  state->planned =
      std::make_unique<et::HierarchicalAllocator>(et::Span<et::Span<std::uint8_t>>(state->spans.data(), state->spans.size()));
  state->memory = std::make_unique<et::MemoryManager>(&state->method_memory, state->planned.get(), &state->temporary_memory);
  if (options.record) state->recorder = std::make_unique<Recorder>(options.operators);
  auto loaded = program.state_->program->load_method(name.c_str(), state->memory.get(), state->recorder.get(),
                                                     program.state_->data.get());
  if (!loaded.ok()) return error_of(loaded.error(), fmt::format("method {} cannot be loaded", name));
  state->method = std::make_unique<et::Method>(std::move(*loaded));
  state->inputs.resize(state->method->inputs_size());
  if (state->recorder != nullptr) state->recorder->record(false);
  return Method(std::move(state));
}

std::size_t Method::input_count() const { return state_->method->inputs_size(); }
std::size_t Method::output_count() const { return state_->method->outputs_size(); }
std::vector<std::int64_t> Method::planned_buffer_sizes() const { return state_->buffer_sizes; }

Result<std::optional<TensorView>> Method::input(std::size_t i) const {
  const et::MethodMeta meta = state_->method->method_meta();
  const auto tag = meta.input_tag(i);
  if (!tag.ok()) return error_of(tag.error(), fmt::format("input {} is of no known kind", i));
  if (*tag != et::Tag::Tensor) return std::optional<TensorView>();
  const auto info = meta.input_tensor_meta(i);
  if (!info.ok()) return error_of(info.error(), fmt::format("input {} has no description", i));
  ETALON_TRY(const TensorView view, view_of(info->scalar_type(), info->sizes(), info->dim_order(), nullptr));
  return std::optional<TensorView>(view);
}

Status Method::set_input(std::size_t i, const TensorView& tensor) {
  InputTensor& slot = state_->inputs[i];
  for (std::size_t d = 0; d < tensor.rank(); ++d) {
    slot.sizes[d] = static_cast<::executorch::aten::SizesType>(tensor.size(d));
    slot.order[d] = tensor.order()[d];
    slot.strides[d] = static_cast<::executorch::aten::StridesType>(tensor.stride(d));
  }
  slot.tensor = std::make_unique<::executorch::aten::TensorImpl>(
      static_cast<::executorch::aten::ScalarType>(tensor.dtype()), static_cast<ssize_t>(tensor.rank()),
      slot.sizes.data(), tensor.data(), slot.order.data(), slot.strides.data(), et::TensorShapeDynamism::DYNAMIC_BOUND);
  const et::Error set = state_->method->set_input(et::EValue(::executorch::aten::Tensor(slot.tensor.get())), i);
  if (set == et::Error::Ok) return {};
  return error_of(set, fmt::format("input {} is {} {}, which the method does not take", i, name_of(tensor.dtype()),
                                   to_string(tensor.sizes())));
}

Status Method::execute() {
  const et::Error ran = state_->method->execute();
  state_->temporary_memory.reset();
  if (ran == et::Error::Ok) return {};
  return run_failed(fmt::format("ExecuTorch: the execution failed ({})", status_text(ran)));
}

Result<std::optional<TensorView>> Method::output(std::size_t i) const {
  const et::EValue& value = state_->method->get_output(i);
  if (!value.isTensor()) return std::optional<TensorView>();
  const ::executorch::aten::Tensor& tensor = value.toTensor();
  ETALON_TRY(const TensorView view,
             view_of(tensor.scalar_type(), tensor.sizes(), tensor.dim_order(), tensor.mutable_data_ptr()));
  return std::optional<TensorView>(view);
}

void Method::record(bool on) {
  if (state_->recorder != nullptr) state_->recorder->record(on);
}

Status Method::write_events(const std::string& path) {
  if (state_->recorder == nullptr) return {};
  const auto data = state_->recorder->get_etdump_data();
  state_->recorder->record(false);
  if (data.buf == nullptr) return io_error(path + ": ExecuTorch recorded nothing");
  const Status written = write_file(path, Bytes(static_cast<const std::byte*>(data.buf), data.size));
  std::free(data.buf);
  return written;
}

}  // namespace etalon::stock
