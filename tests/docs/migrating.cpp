// What docs/migrating.md shows, but for what needs Boost or foonathan/memory.

#include "page.hpp"

#include <allot/allot.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <list>
#include <memory_resource>
#include <new>
#include <string>
#include <utility>
#include <vector>

using namespace allot::literals;

namespace {

void std_before() {
  //! [std_before]
  std::array<std::byte, 1024> buffer;
  std::pmr::monotonic_buffer_resource arena{buffer.data(), buffer.size()};
  for (int turn = 0; turn < 3; ++turn) {
    std::pmr::vector<int> numbers(500, turn, &arena);
    // numbers is gone at the end of the turn, its memory is not: the arena grows
  }
  arena.release(); // all chunks go back; the next round takes them anew
  //! [std_before]
}

void std_after() {
  //! [std_after]
  std::array<std::byte, 1024> buffer;
  allot::malloc_resource heap;
  allot::monotonic_resource arena{buffer.data(), buffer.size(), heap};
  for (int turn = 0; turn < 3; ++turn) {
    {
      const allot::arena_scope scope{arena}; // frees what the turn took, and keeps the chunks
      std::pmr::vector<int> numbers(500, turn, &arena);
    }
    std::printf("%zu bytes used, %zu taken from the heap\n", arena.used(), arena.reserved());
  }
  //! [std_after]
}

void pools_before() {
  //! [pools_before]
  std::pmr::unsynchronized_pool_resource pool;
  std::pmr::list<int> numbers(1000, 7, &pool);
  numbers.clear(); // the pool keeps all of it, and there is no way to ask how much
  //! [pools_before]
}

void pools_after() {
  //! [pools_after]
  allot::pool_resource<> pool; // std's default resource, as there
  std::pmr::list<int> numbers(1000, 7, &pool);
  numbers.clear();
  const std::size_t kept = pool.reserved();
  std::printf("%s given back\n", pool.trim() == kept ? "all" : "some");
  //! [pools_after]
}

//! [hand_before]
class arena {
public:
  explicit arena(std::size_t bytes)
      : begin_{static_cast<char*>(std::malloc(bytes))}, next_{begin_}, end_{begin_ + bytes} {}
  ~arena() { std::free(begin_); }
  arena(const arena&) = delete;
  arena& operator=(const arena&) = delete;

  void* allocate(std::size_t bytes) {
    bytes = (bytes + 15) / 16 * 16;           // wraps around for the largest
    if (next_ + bytes > end_) return nullptr; // overflows, and callers forget the test
    return std::exchange(next_, next_ + bytes);
  }
  void reset() { next_ = begin_; }

private:
  char* begin_;
  char* next_;
  char* end_;
};

struct point {
  int x, y;
};

void hand_before() {
  arena memory{1024};
  auto* const p = new (memory.allocate(sizeof(point))) point{1, 2};
  std::printf("%d\n", p->x + p->y);
  memory.reset();
}
//! [hand_before]

void hand_after() {
  //! [hand_after]
  allot::bump_resource<1_KiB> memory{"points"};
  std::pmr::polymorphic_allocator<> allocator{&memory};
  auto* const p = allocator.new_object<point>(point{1, 2}); // throws where there is no room
  std::printf("%d\n", p->x + p->y);
  std::printf("%zu bytes used, %zu at most\n", memory.used(), memory.high_water());
  memory.reset();
  //! [hand_after]
}

void hand_step() {
  //! [hand_step]
  alignas(16) static std::byte bytes[1_KiB]; // memory that is already there
  allot::bump_resource<> memory{bytes};
  if (const auto raw = memory.alloc_bytes(100, 16)) std::printf("%zu bytes\n", raw->size()); // std::optional<std::span>
  std::pmr::string text{"standard containers work in it, too, as they did not before", &memory};
  //! [hand_step]
}

} // namespace

int main(int argc, char** argv) {
  return page::run(argc, argv,
                   {{{"std_before", std_before},
                     {"std_after", std_after},
                     {"pools_before", pools_before},
                     {"pools_after", pools_after},
                     {"hand_before", hand_before},
                     {"hand_after", hand_after},
                     {"hand_step", hand_step}}});
}
