// What docs/faq.md shows: what surprises people about std::pmr, each in a few lines.

#include "page.hpp"

#include <allot/allot.hpp>
#include <allot/testing/checking_resource.hpp>

#include <cstddef>
#include <cstdio>
#include <memory_resource>
#include <string>
#include <utility>
#include <vector>

using namespace allot::literals;

namespace {

void copies() {
  //! [copies]
  allot::bump_resource<4_KiB> arena;
  const std::pmr::vector<int> numbers(100, 7, &arena);

  const allot::no_default_resource_guard heap{allot::default_use::count};
  const std::pmr::vector<int> copy = numbers;
  std::printf("%zu bytes from the default resource\n", heap.bytes());

  const std::pmr::vector<int> stays{numbers, &arena};
  std::printf("%zu bytes from it for both\n", heap.bytes());
  //! [copies]
}

void moves() {
  //! [moves]
  allot::bump_resource<4_KiB> one, other;
  std::pmr::vector<int> numbers(100, 7, &one);
  const int* const first = numbers.data();

  std::pmr::vector<int> taken = std::move(numbers); // construction: the block changes hands
  std::printf("%s\n", taken.data() == first ? "the same block" : "another block");

  std::pmr::vector<int> given{&other};
  given = std::move(taken); // assignment, other resource: a new block, each element moved
  std::printf("%s, %zu bytes of the other arena\n", given.data() == first ? "the same block" : "another block",
              other.used());
  //! [moves]
}

void exchange() {
  //! [exchange]
  allot::bump_resource<4_KiB> one, other;
  std::pmr::string left{"one text that needs a block of its own", &one};
  std::pmr::string right{"another text that needs a block of its own", &other};

  if (left.get_allocator() == right.get_allocator()) {
    left.swap(right);
  } else {
    auto held = std::move(left); // in the resource of left
    left = std::move(right);     // the characters are copied, the resources stay
    right = std::move(held);
  }
  std::printf("%s\n%s\n", left.c_str(), right.c_str());
  //! [exchange]
}

void elements() {
  //! [elements]
  const char* const text = "characters that do not fit into the string object";
  allot::bump_resource<4_KiB> arena;
  const allot::no_default_resource_guard heap{allot::default_use::count};

  std::vector<std::pmr::string> plain; // std::allocator hands nothing on
  plain.emplace_back(text);
  std::printf("std::vector: %zu block from the default resource\n", heap.allocations());

  std::pmr::vector<std::pmr::string> nested{&arena};
  nested.emplace_back(text);
  std::printf("std::pmr::vector: %zu more, and %zu bytes of the arena\n", heap.allocations() - 1, arena.used());
  //! [elements]
}

void temporaries() {
  //! [temporaries]
  const char* const text = "characters that do not fit into the string object";
  allot::bump_resource<4_KiB> arena;
  std::pmr::vector<std::pmr::string> words{&arena};
  words.reserve(4);
  const allot::no_default_resource_guard heap{allot::default_use::count};

  words.push_back(text); // makes a string first, with the default resource, and copies it
  std::printf("push_back: %zu block from the default resource\n", heap.allocations());

  words.emplace_back(text); // makes the string in its place
  std::printf("emplace_back: %zu more\n", heap.allocations() - 1);

  words = {text, text}; // so does the list of an initialiser
  std::printf("braces: %zu more\n", heap.allocations() - 1);
  //! [temporaries]
}

//! [members]
struct plain_job {
  std::string name; // std::allocator: the heap, wherever the job is
};

struct job {
  using allocator_type = std::pmr::polymorphic_allocator<>;

  explicit job(allocator_type allocator = {}) : name{allocator} {}
  job(const char* text, allocator_type allocator) : name{text, allocator} {}
  job(const job& other, allocator_type allocator = {}) : name{other.name, allocator} {}
  job(job&& other) noexcept = default;
  job(job&& other, allocator_type allocator) : name{std::move(other.name), allocator} {}
  job& operator=(const job& other) = default; // keeps the resource of the left side
  job& operator=(job&& other) = default;

  std::pmr::string name;
};

void members() {
  allot::bump_resource<4_KiB> one, other;
  std::pmr::vector<plain_job> plain{&one};
  plain.push_back({"characters that do not fit into the string object"});
  std::printf("std::string: %zu bytes of the arena\n", one.used());

  std::pmr::vector<job> jobs{&other};
  jobs.emplace_back("characters that do not fit into the string object");
  std::printf("std::pmr::string: %zu\n", other.used());
}
//! [members]

//! [returned]
std::pmr::string greeting(std::pmr::memory_resource* memory) {
  std::pmr::string text{"hello, in the memory of whoever asked for it", memory};
  return text; // moved or not made twice: it keeps its resource
}

struct document {
  std::pmr::string title;
  const std::pmr::string& get() const { return title; }
};

void returned() {
  allot::bump_resource<4_KiB> arena;
  const auto is_in_arena = [&](const std::pmr::string& text) {
    return text.get_allocator().resource() == &arena ? "in the arena" : "in the default resource";
  };

  std::printf("by value: %s\n", is_in_arena(greeting(&arena)));

  const document start{greeting(&arena)};
  const auto title = start.get(); // auto drops the reference: a copy
  std::printf("auto of a reference: %s\n", is_in_arena(title));
}
//! [returned]

void lifetime() {
  //! [lifetime]
  allot::bump_resource<4_KiB> arena; // declared first: destroyed last
  std::pmr::vector<int> numbers(100, 7, &arena);

  const std::pmr::vector<int> moved = std::move(numbers);                          // depends on the arena as before
  const std::pmr::vector<int> independent{moved, std::pmr::new_delete_resource()}; // may outlive it

  std::printf("moved: %s\n", moved.get_allocator().resource() == &arena ? "still in the arena" : "elsewhere");
  std::printf("copied: %s\n", independent.get_allocator().resource() == &arena ? "still in the arena" : "elsewhere");
  //! [lifetime]
}

//! [destructors]
struct session {
  ~session() { std::puts("session closed"); }
};

void destructors() {
  allot::bump_resource<4_KiB> arena;
  std::pmr::polymorphic_allocator<> allocator{&arena};

  (void)allocator.new_object<session>();
  arena.reset(); // the memory is free; the destructor did not run
  std::puts("reset");

  { const auto owned = allot::unique_in<session>(arena); }
  arena.reset();
}
//! [destructors]

void constructed() {
  //! [constructed]
  allot::bump_resource<4_KiB> arena;
  std::pmr::vector<int> before; // the default resource of this moment
  const allot::default_resource_guard guard{arena};
  std::pmr::vector<int> after;

  before.assign(100, 7);
  std::printf("made before: %zu bytes of the arena\n", arena.used());
  after.assign(100, 7);
  std::printf("made after: %zu bytes of the arena\n", arena.used());
  //! [constructed]
}

void sizes() {
  //! [sizes]
  allot::checking_resource memory{{.name = "example", .action = allot::on_fault::record}};
  void* const p = memory.allocate(100, 8);
  memory.deallocate(p, 50, 8); // std::free would not care; a pool looks for its list by the size

  char line[256];
  describe(*memory.first_error(), line);
  std::puts(line);
  //! [sizes]
}

void equality() {
  //! [equality]
  allot::malloc_resource one, other;
  std::printf("two resources over malloc: %s\n", one == other ? "equal" : "not equal");
  std::printf("new_delete_resource with itself: %s\n",
              *std::pmr::new_delete_resource() == *std::pmr::new_delete_resource() ? "equal" : "not equal");
  //! [equality]
}

void holes() {
  //! [holes]
  allot::bump_resource<64_KiB> one, other;
  std::pmr::vector<int> grows{&one};
  auto fits = allot::vector_in<int>(other, 1024);
  for (int i = 0; i < 1024; ++i) {
    grows.push_back(i);
    fits.push_back(i);
  }
  std::printf("%zu bytes for %zu\n", one.used(), grows.size() * sizeof(int));
  std::printf("reserved first: %zu\n", other.used());
  //! [holes]
}

} // namespace

int main(int argc, char** argv) {
  return page::run(argc, argv,
                   {{{"copies", copies},
                     {"moves", moves},
                     {"exchange", exchange},
                     {"elements", elements},
                     {"temporaries", temporaries},
                     {"members", members},
                     {"returned", returned},
                     {"lifetime", lifetime},
                     {"destructors", destructors},
                     {"constructed", constructed},
                     {"sizes", sizes},
                     {"equality", equality},
                     {"holes", holes}}});
}
