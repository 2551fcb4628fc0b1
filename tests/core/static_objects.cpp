// What a program keeps in statics. object_file_test.py compiles this and reads the object file.

#include <allot/adaptor/counting_adaptor.hpp>
#include <allot/adaptor/limit_adaptor.hpp>
#include <allot/adaptor/limit_ledger.hpp>
#ifndef NO_TRACE_RING
#include <allot/adaptor/trace_ring.hpp>
#endif
#include <allot/arena/atomic_bump_resource.hpp>
#include <allot/arena/bump_resource.hpp>
#include <allot/arena/static_arena.hpp>
#include <allot/core/chain.hpp>
#include <allot/core/claim_flag.hpp>
#include <allot/core/once.hpp>
#include <allot/core/static_slot.hpp>
#include <allot/pool/block_pool_resource.hpp>
#include <allot/source/section_buffer.hpp>
#include <allot/source/static_buffer.hpp>
#include <allot/source/static_resource.hpp>

struct sensor {
  explicit sensor(int p) : port{p} {}
  virtual ~sensor() { port = -1; }
  int port;
};

auto make_chain(std::span<std::byte> bytes) noexcept {
  return allot::chain{allot::layer<allot::counting_adaptor>(), allot::source<allot::bump_resource<>>(bytes)};
}

auto make_limited(std::span<std::byte> bytes) noexcept {
  return allot::chain{allot::layer<allot::limit_adaptor>(std::size_t{512}, "limited"),
                      allot::source<allot::bump_resource<>>(bytes)};
}

extern "C" { // for names that the test can say

constinit allot::static_arena<1024> bss_arena;
constinit allot::static_slot<allot::bump_resource<>, 1024> bss_slot;
constinit allot::static_slot<allot::static_resource<>, 1024, 64> bss_slot_of_one;
constinit allot::static_slot<decltype(make_chain({})), 1024> bss_chain;
constinit allot::static_buffer<1024, 64> bss_buffer;
constinit allot::once<sensor> bss_once;
constinit allot::claim_flag bss_flag;
constinit allot::static_slot<allot::block_pool_resource<48>, 1024> bss_pool;
constinit allot::static_slot<allot::atomic_bump_resource<>, 1024> bss_shared;
constinit allot::static_slot<decltype(make_limited({})), 1024> bss_limited;
#ifndef NO_TRACE_RING // a Cortex-M0 has none
constinit allot::trace_ring<16> bss_ring;
#endif
constinit allot::limit_ledger data_ledger{{.bytes = 512}};

ALLOT_SECTION_BUFFER(usb_frames, 512, 64, ".usbsram");

} // extern "C"

namespace {

ALLOT_SECTION_BUFFER(quiet, 256, 16, ".bss.quiet");

} // namespace

void use(const void* memory); // elsewhere, so that the compiler can leave nothing out

int main() {
  use(&bss_arena.claim("arena"));
  use(&bss_slot.claim("slot"));
  use(&bss_slot_of_one.claim("one"));
  use(&bss_chain.claim(make_chain));
  use(bss_buffer.claim("buffer").data());
  use(usb_frames.claim_zeroed("usb").data());
  use(quiet.claim("quiet").data());
  use(&bss_pool.claim("pool"));
  use(&bss_shared.claim("shared"));
  use(&bss_limited.claim(make_limited));
  use(data_ledger.admit(100) ? &data_ledger : nullptr);
  bss_once.call_once([] { return sensor{3}; });
#ifndef NO_TRACE_RING
  bss_ring.record({.bytes = 64, .alignment = 8});
  use(&bss_ring);
#endif
  static constinit allot::static_buffer<64> bss_local;
  use(bss_local.claim().data());
  return bss_flag.claim() ? bss_once->port : 0;
}
