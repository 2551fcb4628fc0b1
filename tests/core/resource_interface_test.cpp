#include <allot/core/resource_interface.hpp>

#include <support/death.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <limits>
#include <memory_resource>
#include <string>
#include <type_traits>
#include <utility>

namespace {

using allot::failure;
using allot::failure_reason;
using allot::layout;
using allot::ownership;

constexpr std::size_t default_alignment = alignof(std::max_align_t);

/// Has one block, and writes down which hook was reached with what.
class one_block final : public allot::resource_interface<one_block> {
public:
  static constexpr const char* class_name = "one_block";

  int placed = 0;
  int taken_back = 0;
  layout last;
  void* last_pointer = nullptr;
  bool has_room = true;
  alignas(64) std::byte block[64]{};

private:
  friend resource_interface;

  void* place(std::size_t bytes, std::size_t alignment) noexcept {
    ++placed;
    last = {bytes, alignment};
    return has_room ? block : nullptr;
  }

  void give_back(void* p, std::size_t bytes, std::size_t alignment) noexcept {
    ++taken_back;
    last = {bytes, alignment};
    last_pointer = p;
  }

  [[nodiscard]] ownership holds(const void* p) const noexcept { return allot::within(p, block, sizeof block); }
};

/// Has no room, and nothing to say beyond its class.
class refusing final : public allot::resource_interface<refusing> {
public:
  static constexpr const char* class_name = "refusing";

private:
  friend resource_interface;
  void* place(std::size_t, std::size_t) noexcept { return nullptr; }
  void give_back(void*, std::size_t, std::size_t) noexcept {}
};

/// Has no room, and public queries for the record.
class telling final : public allot::resource_interface<telling> {
public:
  static constexpr const char* class_name = "telling";
  [[nodiscard]] const char* name() const noexcept { return "rx"; }
  [[nodiscard]] std::size_t used() const noexcept { return 60; }
  [[nodiscard]] std::size_t capacity() const noexcept { return 100; }

private:
  friend resource_interface;
  void* place(std::size_t, std::size_t) noexcept { return nullptr; }
  void give_back(void*, std::size_t, std::size_t) noexcept {}
};

/// Has no room, and a record of its own.
class explaining final : public allot::resource_interface<explaining> {
public:
  static constexpr const char* class_name = "explaining";
  [[nodiscard]] std::size_t used() const noexcept { return 60; }

private:
  friend resource_interface;
  void* place(std::size_t, std::size_t) noexcept { return nullptr; }
  void give_back(void*, std::size_t, std::size_t) noexcept {}
  [[nodiscard]] failure refusal(std::size_t bytes, std::size_t) const noexcept {
    return {.reason = failure_reason::budget_exceeded, .resource = class_name, .bytes = bytes + 1};
  }
};

/// Has a fast path of its own for `allocate`.
class two_paths final : public allot::resource_interface<two_paths> {
public:
  static constexpr const char* class_name = "two_paths";
  int tried = 0;
  int insisted = 0;
  std::byte block[1];

private:
  friend resource_interface;

  void* place(std::size_t, std::size_t) noexcept {
    ++tried;
    return block;
  }

  void* place_or_fail(std::size_t bytes, std::size_t alignment) {
    ++insisted;
    if (bytes > sizeof block) fail(bytes, alignment);
    return block;
  }

  void give_back(void*, std::size_t, std::size_t) noexcept {}
};

/// Has hooks whose names it uses for more than the hook.
class overloading final : public allot::resource_interface<overloading> {
public:
  [[maybe_unused]] static constexpr const char* class_name = "overloading";

private:
  friend resource_interface;
  void* place(std::size_t, std::size_t) noexcept { return nullptr; }
  void* place_or_fail(std::size_t bytes, std::size_t alignment) { return place_or_fail({bytes, alignment}); }
  void* place_or_fail(layout) { return this; }
  void give_back(void*, std::size_t, std::size_t) noexcept {}
  [[nodiscard]] ownership holds(const void* p) const noexcept { return holds(p, 1); }
  [[nodiscard]] ownership holds(const void* p, std::size_t bytes) const noexcept {
    return allot::within(p, this, bytes);
  }
};

static_assert(!std::is_copy_constructible_v<one_block> && !std::is_move_constructible_v<one_block>);
static_assert(!std::is_copy_assignable_v<one_block> && !std::is_move_assignable_v<one_block>);
static_assert(noexcept(std::declval<one_block&>().deallocate(nullptr, 0)));
static_assert(noexcept(std::declval<one_block&>().try_allocate(0)));

/// The record that `f` leaves behind, as the whole line.
template <class F>
std::string line_of(F f) {
#if ALLOT_EXCEPTIONS
  try {
    f();
  } catch (const allot::out_of_memory& refused) {
    return refused.what();
  }
  return "nothing was thrown";
#else
  const std::string words = support::last_words(f);
  return words.substr(0, words.find('\n'));
#endif
}

} // namespace

TEST_SUITE("resource_interface") {
  TEST_CASE("the three functions reach their hooks with what the caller said") {
    one_block r;
    CHECK(r.allocate(24, 8) == r.block);
    CHECK(r.last == layout{24, 8});
    CHECK(r.try_allocate(7, 32) == r.block);
    CHECK(r.last == layout{7, 32});
    r.deallocate(r.block + 3, 40, 2);
    CHECK(r.last == layout{40, 2});
    CHECK(r.last_pointer == r.block + 3);
    CHECK(r.placed == 2);
    CHECK(r.taken_back == 1);
  }

  TEST_CASE("they reach the same hooks through the base classes") {
    one_block r;
    allot::resource& known = r;
    std::pmr::memory_resource& any = r;

    CHECK(any.allocate(24, 8) == r.block);
    CHECK(r.last == layout{24, 8});
    CHECK(known.try_allocate(7, 32) == r.block);
    CHECK(r.last == layout{7, 32});
    any.deallocate(r.block, 40, 2);
    CHECK(r.last == layout{40, 2});
    CHECK(r.last_pointer == r.block);
    CHECK(r.placed == 2);
    CHECK(r.taken_back == 1);
  }

  TEST_CASE("an alignment that is not said is that of std::max_align_t") {
    one_block r;
    (void)r.allocate(1);
    CHECK(r.last == layout{1, default_alignment});
    (void)r.try_allocate(2);
    CHECK(r.last == layout{2, default_alignment});
    r.deallocate(r.block, 3);
    CHECK(r.last == layout{3, default_alignment});
    (void)static_cast<allot::resource&>(r).try_allocate(4);
    CHECK(r.last == layout{4, default_alignment});
  }

  TEST_CASE("zero bytes and the greatest size are asked for like any other") {
    one_block r;
    CHECK(r.allocate(0, 1) == r.block);
    CHECK(r.last == layout{0, 1});
    r.deallocate(r.block, 0, 1);
    CHECK(r.taken_back == 1);
    r.has_room = false;
    constexpr auto most = std::numeric_limits<std::size_t>::max();
    CHECK(r.try_allocate(most, most / 2 + 1) == nullptr);
    CHECK(r.last == layout{most, most / 2 + 1});
  }

  TEST_CASE("null that comes back never reaches the hook") {
    one_block r;
    r.deallocate(nullptr, 8, 8);
    CHECK(r.taken_back == 0);
  }

  TEST_CASE("a block comes as it was placed, with its bytes untouched") {
    one_block r;
    r.block[0] = std::byte{0xA5};
    CHECK(*static_cast<std::byte*>(r.allocate(1, 1)) == std::byte{0xA5});
    CHECK(*static_cast<std::byte*>(r.try_allocate(1, 1)) == std::byte{0xA5});
  }

  TEST_CASE("allocate takes the path of its own where there is one, and try_allocate does not") {
    two_paths r;
    std::pmr::memory_resource& any = r;
    (void)r.allocate(1, 1);
    (void)any.allocate(1, 1);
    CHECK(r.insisted == 2);
    CHECK(r.tried == 0);
    (void)r.try_allocate(1, 1);
    (void)static_cast<allot::resource&>(r).try_allocate(1, 1);
    CHECK(r.insisted == 2);
    CHECK(r.tried == 2);
    CHECK(line_of([&] { (void)r.allocate(2, 1); }) == "allot: two_paths: no room for 2 bytes aligned to 1");
  }

  TEST_CASE("a hook is found though its name is overloaded") {
    overloading r;
    CHECK(r.allocate(8, 8) == &r);
    CHECK(r.try_allocate(8, 8) == nullptr);
    CHECK(r.owns(&r) == ownership::yes);
    CHECK(r.owns(&r + 1) == ownership::no);
  }

  TEST_CASE("the record of a failure is made of the class and the request") {
    refusing r;
    std::pmr::memory_resource& any = r;
    CHECK(r.try_allocate(24, 8) == nullptr);
    CHECK(static_cast<allot::resource&>(r).try_allocate(24, 8) == nullptr);
    CHECK(line_of([&] { (void)r.allocate(24, 8); }) == "allot: refusing: no room for 24 bytes aligned to 8");
    CHECK(line_of([&] { (void)any.allocate(3, 2); }) == "allot: refusing: no room for 3 bytes aligned to 2");
  }

  TEST_CASE("name, use and capacity go into the record where the class has them") {
    telling r;
    CHECK(line_of([&] { (void)r.allocate(41, 1); }) ==
          "allot: telling \"rx\": no room for 41 bytes aligned to 1: 60 of 100 bytes in use");
  }

  TEST_CASE("a record that the class writes itself is taken as it is") {
    explaining r;
    CHECK(line_of([&] { (void)r.allocate(41, 1); }) == "allot: explaining: over budget by a request for 42 bytes");
#if ALLOT_EXCEPTIONS
    CHECK_THROWS_AS((void)r.allocate(41, 1), allot::budget_exceeded);
#endif
  }

  TEST_CASE("ownership is asked of the class, through its base too, and is unknown without an answer") {
    one_block r;
    const allot::resource& known = r;
    CHECK(r.owns(r.block) == ownership::yes);
    CHECK(known.owns(r.block + 63) == ownership::yes);
    CHECK(known.owns(&r + 1) == ownership::no);

    const refusing silent;
    CHECK(silent.owns(&silent) == ownership::unknown);
    CHECK(static_cast<const allot::resource&>(silent).owns(nullptr) == ownership::unknown);
  }

  TEST_CASE("a resource equals itself and no other, not even one of its class") {
    one_block a;
    one_block b;
    CHECK(a == a);
    CHECK(a != b);
    CHECK(a != *std::pmr::new_delete_resource());
    CHECK(*std::pmr::new_delete_resource() != a);
  }

#if ALLOT_CHECK_LEVEL > 0
  TEST_CASE("an alignment that is no power of two stops every call, before the hook") {
    one_block r;
    std::pmr::memory_resource& any = r;
    CHECK(dies([&] { (void)r.allocate(8, 3); }, "is_alignment(alignment)"));
    CHECK(dies([&] { (void)r.try_allocate(8, 0); }, "is_alignment(alignment)"));
    CHECK(dies([&] { r.deallocate(r.block, 8, 24); }, "is_alignment(alignment)"));
    CHECK(dies([&] { r.deallocate(nullptr, 8, 24); }, "is_alignment(alignment)"));
    std::size_t alignment = 3; // no constant: a compiler would see the mistake
    CHECK(dies([&] { (void)any.allocate(8, alignment); }, "is_alignment(alignment)"));
  }
#endif
}
