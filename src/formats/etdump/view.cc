#include "formats/etdump/view.h"

#include "formats/etdump/verified_root.h"

namespace etalon::formats::etdump {
namespace {

std::string_view text_of(const flatbuffers::String* string) {
  return string == nullptr ? std::string_view() : std::string_view(string->c_str(), string->size());
}

ProfileEventView view_of_table(const fb::etdump::ProfileEvent& table) {
  ProfileEventView out;
  out.name = text_of(table.name());
  out.chain_index = table.chain_index();
  out.instruction_id = table.instruction_id();
  out.delegate_debug_id = table.delegate_debug_id_int();
  out.delegate_debug_name = text_of(table.delegate_debug_id_str());
  if (const auto* metadata = table.delegate_debug_metadata()) {
    out.delegate_metadata = Bytes(reinterpret_cast<const std::byte*>(metadata->data()), metadata->size());
  }
  out.start_time = table.start_time();
  out.end_time = table.end_time();
  return out;
}

}  // namespace

struct EtDumpView::Verified {
  explicit Verified(Bytes file) : buffer(file) {}

  const fb::etdump::RunData& run(std::size_t index) const {
    return *root->run_data()->Get(static_cast<flatbuffers::uoffset_t>(index));
  }

  AlignedFlatbuffer buffer;
  const fb::etdump::ETDump* root = nullptr;
};

ProfileEventView view_of(const ProfileEvent& event) {
  ProfileEventView out;
  out.name = event.name;
  out.delegate_debug_name = event.delegate_debug_name;
  if (event.delegate_metadata) out.delegate_metadata = Bytes(*event.delegate_metadata);
  out.start_time = event.start_time;
  out.end_time = event.end_time;
  out.chain_index = event.chain_index;
  out.instruction_id = event.instruction_id;
  out.delegate_debug_id = event.delegate_debug_id;
  return out;
}

EtDumpView::EtDumpView(std::unique_ptr<Verified> verified) : verified_(std::move(verified)) {}
EtDumpView::EtDumpView(EtDumpView&&) noexcept = default;
EtDumpView& EtDumpView::operator=(EtDumpView&&) noexcept = default;
EtDumpView::~EtDumpView() = default;

Result<EtDumpView> EtDumpView::open(Bytes file) {
  auto verified = std::make_unique<Verified>(file);
  ETALON_TRY(verified->root, verified_root(file, verified->buffer));
  return EtDumpView(std::move(verified));
}

std::size_t EtDumpView::run_count() const {
  const auto* runs = verified_->root->run_data();
  return runs == nullptr ? 0 : runs->size();
}

std::string_view EtDumpView::run_name(std::size_t run) const { return text_of(verified_->run(run).name()); }

Status EtDumpView::read_events(std::size_t run, std::vector<ProfileEventView>& out) const {
  out.clear();
  const auto* events = verified_->run(run).events();
  if (events == nullptr) return {};
  out.reserve(events->size());
  for (flatbuffers::uoffset_t i = 0; i < events->size(); ++i) {
    const auto& event = *events->Get(i);
    if (const auto* profile = event.profile_event()) {
      out.push_back(view_of_table(*profile));
    } else if (event.allocation_event() == nullptr && event.debug_event() == nullptr) {
      return invalid_input(fmt::format("run {}: event {}: neither a profile, an allocation nor a debug event", run, i));
    }
  }
  return {};
}

}  // namespace etalon::formats::etdump
