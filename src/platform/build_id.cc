#include "platform/build_id.h"

#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__linux__)
#include <elf.h>
#include <link.h>
#endif

namespace etalon::platform {
namespace {

#if defined(__linux__)
constexpr char kHexDigits[] = "0123456789abcdef";

// Notes follow each other: a header, the owner's name, the description, both padded to four bytes.
std::string find_build_id(const unsigned char* notes, std::size_t size) {
  std::size_t at = 0;
  while (size - at >= sizeof(ElfW(Nhdr))) {
    ElfW(Nhdr) header;
    std::memcpy(&header, notes + at, sizeof header);
    const std::size_t name = at + sizeof header;
    const std::size_t description = name + ((std::size_t{header.n_namesz} + 3) & ~std::size_t{3});
    const std::size_t end = description + ((std::size_t{header.n_descsz} + 3) & ~std::size_t{3});
    if (end > size || end < at) break;
    const bool is_gnu = header.n_namesz == 4 && std::memcmp(notes + name, "GNU", 4) == 0;
    if (is_gnu && header.n_type == NT_GNU_BUILD_ID) {
      std::string out;
      for (std::size_t i = 0; i < header.n_descsz; ++i) {
        out += kHexDigits[notes[description + i] >> 4];
        out += kHexDigits[notes[description + i] & 15];
      }
      return out;
    }
    at = end;
  }
  return {};
}

int visit(dl_phdr_info* info, std::size_t, void* out) {
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const ElfW(Phdr)& header = info->dlpi_phdr[i];
    if (header.p_type != PT_NOTE) continue;
    std::string id = find_build_id(reinterpret_cast<const unsigned char*>(info->dlpi_addr + header.p_vaddr), header.p_memsz);
    if (id.empty()) continue;
    *static_cast<std::string*>(out) = std::move(id);
    break;
  }
  return 1;  // the first object is the program itself
}
#endif

}  // namespace

std::string build_id() {
  std::string out;
#if defined(__linux__)
  dl_iterate_phdr(visit, &out);
#endif
  return out;
}

}  // namespace etalon::platform
