// What docs/composing.md shows.

#include "page.hpp"

#include <allot/allot.hpp>

#include <cstddef>
#include <cstdio>
#include <memory_resource>
#include <span>
#include <utility>
#include <vector>

using namespace allot::literals;

namespace {

//! [request]
using tenant_budget = allot::limit_adaptor<allot::malloc_resource>;

auto make_request_memory(tenant_budget& tenant) {
  return allot::chain{
      allot::layer<allot::limit_adaptor>(16_KiB, "request"), // outermost: what containers call
      allot::layer<allot::counting_adaptor>(),
      allot::layer<allot::monotonic_resource<tenant_budget>>(), // places the blocks, in chunks of
      allot::over(tenant),                                      // what lives elsewhere: shared, and outlives the chain
  };
}

struct request {
  explicit request(tenant_budget& tenant) : memory(make_request_memory(tenant)) {} // built here, never moved

  decltype(make_request_memory(std::declval<tenant_budget&>())) memory; // before what uses it
  std::pmr::vector<int> numbers{&memory};
};

void stack() {
  allot::malloc_resource heap;
  tenant_budget tenant{heap, 1_MiB, "tenant"};
  {
    request one{tenant}, other{tenant};
    one.numbers.assign(100, 7);
    other.numbers.assign(200, 7);
    std::printf("requests: %zu and %zu bytes\n", one.memory.layer<allot::counting_adaptor>().used(),
                other.memory.layer<allot::counting_adaptor>().used());
    std::printf("tenant: %zu bytes, in chunks\n", tenant.used());
  }
  std::printf("tenant: %zu bytes\n", tenant.used());
}
//! [request]

void by_hand() {
  //! [by_hand]
  allot::bump_resource<4_KiB> arena;              // first what places,
  allot::counting_adaptor counted{arena};         // then what stands over it,
  allot::limit_adaptor capped{counted, 1_KiB};    // each over the one before,
  std::pmr::vector<int> numbers(100, 7, &capped); // and last what uses it: all end in the opposite order
  std::printf("%zu, %zu, %zu bytes\n", capped.used(), counted.used(), arena.used());
  //! [by_hand]
}

void order() {
  //! [order]
  allot::malloc_resource heap;
  allot::counting_adaptor inside{heap};
  allot::limit_adaptor capped{inside, 1_KiB};
  allot::counting_adaptor outside{capped};

  void* const p = outside.allocate(800, 8);
  (void)outside.try_allocate(800, 8); // refused
  std::printf("outside of the limit: %zu failure; inside: %zu\n", outside.snapshot().failures,
              inside.snapshot().failures);
  outside.deallocate(p, 800, 8);
  //! [order]
}

void budgets() {
  //! [budgets]
  allot::malloc_resource heap;
  allot::limit_adaptor taken{heap, 64_KiB, "what the arena takes"};
  allot::monotonic_resource arena{taken};
  allot::limit_adaptor live{arena, 64_KiB, "what is live"};

  for (int i = 0; i < 100; ++i)
    live.deallocate(live.allocate(100, 8), 100, 8); // an arena frees nothing before its end
  std::printf("live: %zu bytes, at most %zu; taken: %zu\n", live.used(), live.peak(), taken.used());
  //! [budgets]
}

//! [in_static]
auto make_log_memory(std::span<std::byte> bytes) noexcept {
  return allot::chain{allot::layer<allot::limit_adaptor>(1_KiB), allot::source<allot::bump_resource<>>(bytes)};
}

constinit allot::static_slot<decltype(make_log_memory({})), 4_KiB> log_slot; // .bss: no code before main, none at exit

void in_static() {
  auto& memory = log_slot.claim(make_log_memory, "log");
  std::pmr::vector<int> numbers(100, 7, &memory);
  std::printf("%zu of %zu bytes\n", memory.layer<allot::limit_adaptor>().used(), log_slot.capacity());
}
//! [in_static]

//! [known]
template <class Memory>
std::size_t typed(Memory& memory) { // std::vector<int, allot::allocator<int, Memory>>: calls are inlined
  return allot::vector_in<int>(memory, 100).capacity();
}

std::size_t erased(std::pmr::memory_resource& memory) { // one virtual call, at the top
  return allot::vector_in<int>(memory, 100).capacity();
}

void known() {
  allot::bump_resource<4_KiB> arena;
  allot::limit_adaptor capped{arena, 2_KiB};
  std::printf("%zu and %zu\n", typed(capped), erased(capped));
}
//! [known]

//! [own]
template <class Upstream>
class largest_adaptor final : public allot::adaptor_interface<largest_adaptor<Upstream>, Upstream> {
  using base = allot::adaptor_interface<largest_adaptor, Upstream>;

public:
  static constexpr const char* class_name = "largest_adaptor";

  explicit largest_adaptor(Upstream& upstream, const char* name = nullptr) noexcept : base{upstream, name} {}

  [[nodiscard]] std::size_t largest() const noexcept { return largest_; }

private:
  friend base;

  void allocated(void*, std::size_t bytes, std::size_t) noexcept { largest_ = bytes > largest_ ? bytes : largest_; }

  std::size_t largest_ = 0;
};

void own() {
  allot::chain memory{allot::layer<largest_adaptor>(), allot::source<allot::bump_resource<4_KiB>>()};
  std::pmr::vector<int> numbers{&memory};
  for (int i = 0; i < 100; ++i)
    numbers.push_back(i);
  std::printf("%zu bytes\n", memory.layer<largest_adaptor>().largest());
}
//! [own]

} // namespace

int main(int argc, char** argv) {
  return page::run(argc, argv,
                   {{{"request", stack},
                     {"by_hand", by_hand},
                     {"order", order},
                     {"budgets", budgets},
                     {"in_static", in_static},
                     {"known", known},
                     {"own", own}}});
}
