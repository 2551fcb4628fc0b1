// What allot_no_heap does in a program that it is linked into: each function that it takes the place of is called.

#include <allot/core/failure.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <memory_resource>
#include <new>
#include <string>
#include <string_view>
#include <vector>

namespace {

struct alignas(64) large {
  char bytes[64];
};

volatile std::size_t length = 100; // the compiler does not know it
void* volatile kept = nullptr;

/// `p`, and the compiler does not know what became of it: it may leave out a new whose block is not used.
void* used(void* p) {
  kept = p;
  return kept;
}

std::jmp_buf behind_the_failure;
char record_text[128];

void take(const allot::failure& what) noexcept {
  allot::describe(what, record_text);
  std::longjmp(behind_the_failure, 1);
}

/// True where `f` fails, and `text` stands in the record's line. (The one in support/ holds the line in a string.)
template <class F>
bool dies(F f, std::string_view text) {
  const allot::failure_handler before = allot::set_failure_handler(take);
  record_text[0] = '\0';
  if (setjmp(behind_the_failure) == 0) f(); // it may stand in a condition, and in little else
  allot::set_failure_handler(before);
  const std::string_view said = record_text;
  if (!said.empty() && said.find(text) != std::string_view::npos) return true;
  MESSAGE("said: " << said);
  return false;
}

/// One of the forms of operator delete, and what it says of a block.
struct delete_form {
  void (*call)(void*);
  std::string_view record;
};

constexpr std::align_val_t aligned{64};

constexpr delete_form delete_forms[] = {
    {[](void* p) { ::operator delete(p); }, "operator delete: wrong deallocation of 0 bytes at 0x1234560"},
    {[](void* p) { ::operator delete[](p); }, "operator delete[]: wrong deallocation of 0 bytes at 0x1234560"},
    {[](void* p) { ::operator delete(p, length); }, "operator delete: wrong deallocation of 100 bytes at 0x1234560"},
    {[](void* p) { ::operator delete[](p, length); },
     "operator delete[]: wrong deallocation of 100 bytes at 0x1234560"},
    {[](void* p) { ::operator delete(p, aligned); },
     "operator delete: wrong deallocation of 0 bytes aligned to 64 at 0x1234560"},
    {[](void* p) { ::operator delete[](p, aligned); },
     "operator delete[]: wrong deallocation of 0 bytes aligned to 64 at 0x1234560"},
    {[](void* p) { ::operator delete(p, length, aligned); },
     "operator delete: wrong deallocation of 100 bytes aligned to 64 at 0x1234560"},
    {[](void* p) { ::operator delete[](p, length, aligned); },
     "operator delete[]: wrong deallocation of 100 bytes aligned to 64 at 0x1234560"},
    {[](void* p) { ::operator delete(p, std::nothrow); },
     "operator delete: wrong deallocation of 0 bytes at 0x1234560"},
    {[](void* p) { ::operator delete[](p, std::nothrow); },
     "operator delete[]: wrong deallocation of 0 bytes at 0x1234560"},
    {[](void* p) { ::operator delete(p, aligned, std::nothrow); },
     "operator delete: wrong deallocation of 0 bytes aligned to 64 at 0x1234560"},
    {[](void* p) { ::operator delete[](p, aligned, std::nothrow); },
     "operator delete[]: wrong deallocation of 0 bytes aligned to 64 at 0x1234560"},
};

} // namespace

// What no program asks for by its name.
extern "C" {
int __aeabi_atexit(void*, void (*)(void*), void*) noexcept;
void __aeabi_unwind_cpp_pr0();
void __aeabi_unwind_cpp_pr1();
void __aeabi_unwind_cpp_pr2();
}

TEST_SUITE("no_heap") {
  TEST_CASE("a new goes to the failure handler, and its record has the size and the alignment") {
    CHECK(
        dies([] { used(::operator new(length)); }, "operator new: no room for 100 bytes aligned to 8: allot_no_heap"));
    CHECK(dies([] { used(::operator new[](length)); }, "operator new[]: no room for 100 bytes aligned to 8"));
    CHECK(dies([] { used(new large); }, "operator new: no room for 64 bytes aligned to 64"));
    CHECK(dies([] { used(new large[1]); }, "operator new[]: no room for 64 bytes aligned to 64"));
  }

  TEST_CASE("a new that may not throw gives null") {
    CHECK(used(::operator new(length, std::nothrow)) == nullptr);
    CHECK(used(::operator new[](length, std::nothrow)) == nullptr);
    CHECK(used(::operator new(length, aligned, std::nothrow)) == nullptr);
    CHECK(used(::operator new[](length, aligned, std::nothrow)) == nullptr);
  }

  TEST_CASE("a stable sort does without its buffer") {
    std::array<unsigned, 64> all{};
    for (unsigned i = 0; i < all.size(); ++i)
      all[i] = (i * 37) % 64;
    std::stable_sort(all.begin(), all.end());
    CHECK(std::is_sorted(all.begin(), all.end()));
  }

  TEST_CASE("a delete of null is nothing") {
    for (const delete_form& form : delete_forms)
      form.call(used(nullptr));
  }

  TEST_CASE("a delete of anything else is a wrong deallocation") {
    for (const delete_form& form : delete_forms) {
      CAPTURE(form.record);
      CHECK(dies([&form] { form.call(reinterpret_cast<void*>(std::uintptr_t{0x1234560})); }, form.record));
    }
  }

  TEST_CASE("a string that outgrows its own buffer asks for memory by name") {
    CHECK(dies([] { used(std::string(length, 'x').data()); }, "operator new: no room for 101 bytes"));
  }

  TEST_CASE("what containers throw has a record with their text") {
    CHECK(dies([] { std::vector<int>{}.reserve(SIZE_MAX / 2 + length); },
               "std::length_error: precondition violated: vector::reserve"));
    CHECK(dies([] { used(&std::array<int, 2>{}.at(length)); }, "std::out_of_range: precondition violated: array::at"));
    CHECK(dies([] { std::function<void()>{}(); }, "std::bad_function_call: precondition violated"));
    CHECK(dies([] { (void)std::pmr::polymorphic_allocator<int>{}.allocate(SIZE_MAX / 2 + length); },
               "std::bad_array_new_length: precondition violated"));
  }

  TEST_CASE("the default resource has no memory, until the program sets one that has") {
    const std::string_view text = "std::pmr::new_delete_resource: no room for 100 bytes aligned to 1: allot_no_heap";
    CHECK(std::pmr::get_default_resource() == std::pmr::new_delete_resource());
    CHECK(dies([] { std::pmr::vector<char>{}.reserve(length); }, text));

    std::pmr::memory_resource* const null = std::pmr::null_memory_resource();
    CHECK(std::pmr::set_default_resource(null) == std::pmr::new_delete_resource());
    CHECK(std::pmr::get_default_resource() == null);
    CHECK(dies([] { std::pmr::vector<char>{}.reserve(length); }, "std::pmr::null_memory_resource: no room for 100"));
    CHECK(std::pmr::set_default_resource(nullptr) == null);
    CHECK(std::pmr::get_default_resource() == std::pmr::new_delete_resource());
  }

  TEST_CASE("a block that comes to the default resource is a wrong deallocation") {
    int block = 0;
    CHECK(dies([&block] { std::pmr::new_delete_resource()->deallocate(&block, 4, 4); },
               "std::pmr::new_delete_resource: wrong deallocation of 4 bytes aligned to 4 at 0x"));
  }

  TEST_CASE("std's default and null resource are equal to themselves alone") {
    CHECK(*std::pmr::new_delete_resource() == *std::pmr::new_delete_resource());
    CHECK(*std::pmr::new_delete_resource() != *std::pmr::null_memory_resource());
  }

  TEST_CASE("what is to be destroyed at exit is forgotten") {
    CHECK(__aeabi_atexit(
              kept, [](void*) {}, nullptr) == 0);
  }

  TEST_CASE("the routines of unwind tables return") {
    __aeabi_unwind_cpp_pr0();
    __aeabi_unwind_cpp_pr1();
    __aeabi_unwind_cpp_pr2();
  }
}
