#include <allot/core/upstream.hpp>

#include <allot/core/resource_interface.hpp>

#include <support/death.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <memory_resource>
#include <new>
#include <stdexcept>

namespace {

using allot::layout;
using allot::ownership;

/// A resource of allot: says how it was asked.
class native final : public allot::resource_interface<native> {
public:
  [[maybe_unused]] static constexpr const char* class_name = "native";
  [[maybe_unused]] static constexpr bool owns_is_exact = true;
  int tried = 0;
  int insisted = 0;
  layout last;
  void* answer = this;

private:
  friend resource_interface;

  void* place(std::size_t bytes, std::size_t alignment) noexcept {
    ++tried;
    last = {bytes, alignment};
    return answer;
  }

  void* place_or_fail(std::size_t, std::size_t) {
    ++insisted;
    return this;
  }

  void give_back(void*, std::size_t, std::size_t) noexcept {}
  [[nodiscard]] ownership holds(const void* p) const noexcept { return p == this ? ownership::yes : ownership::no; }
};

/// Someone else's class, whose `owns` is not allot's.
struct yes_or_no {
  bool owns(const void*) const noexcept { return true; }
};

struct may_throw {
  void* try_allocate(std::size_t, std::size_t);
};

struct wrong_result {
  char* try_allocate(std::size_t, std::size_t) noexcept;
};

static_assert(allot::tries<native> && allot::tries<allot::resource>);
static_assert(!allot::tries<std::pmr::memory_resource> && !allot::tries<std::pmr::monotonic_buffer_resource>);
static_assert(!allot::tries<may_throw> && !allot::tries<wrong_result>);

} // namespace

TEST_SUITE("upstream") {
  TEST_CASE("a resource of allot is asked once, by try_allocate, and answers for itself") {
    native up;
    CHECK(allot::try_allocate_from(up, 24, 8) == &up);
    CHECK(up.last == layout{24, 8});
    up.answer = nullptr;
    CHECK(allot::try_allocate_from(up, 3, 1) == nullptr);
    CHECK(up.tried == 2);
    CHECK(up.insisted == 0);
  }

  TEST_CASE("it is asked in the same way where only its base is known") {
    native up;
    allot::resource& known = up;
    CHECK(allot::try_allocate_from(known, 24, 8) == &up);
    CHECK(up.tried == 1);
    CHECK(up.insisted == 0);
  }

  TEST_CASE("a resource of allot says what it owns, and a foreign one cannot be asked") {
    native up;
    const allot::resource& known = up;
    std::pmr::memory_resource& foreign = up;
    CHECK(allot::owned_by(up, &up) == ownership::yes);
    CHECK(allot::owned_by(known, nullptr) == ownership::no);
    CHECK(allot::owned_by(foreign, &up) == ownership::unknown);
    CHECK(allot::owned_by(yes_or_no{}, &up) == ownership::unknown);
  }

#if ALLOT_EXCEPTIONS
  /// A resource of someone else, which throws what it was told to.
  class foreign final : public std::pmr::memory_resource {
  public:
    enum class way { serves, lacks_memory, refuses_by_a_derived_class, refuses_by_another_class };
    explicit foreign(way w) noexcept : way_{w} {}
    int asked = 0;
    layout last;

  private:
    void* do_allocate(std::size_t bytes, std::size_t alignment) override {
      ++asked;
      last = {bytes, alignment};
      switch (way_) {
      case way::serves: return this;
      case way::lacks_memory: throw std::bad_alloc{};
      case way::refuses_by_a_derived_class: throw std::bad_array_new_length{};
      case way::refuses_by_another_class: break;
      }
      throw std::length_error{"not my size"};
    }
    void do_deallocate(void*, std::size_t, std::size_t) override {}
    bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override { return this == &other; }

    way way_;
  };

  TEST_CASE("a foreign resource is asked once, and its block passes through") {
    foreign up{foreign::way::serves};
    CHECK(allot::try_allocate_from(up, 24, 8) == &up);
    CHECK(up.last == layout{24, 8});
    CHECK(up.asked == 1);
  }

  TEST_CASE("std::bad_alloc of a foreign resource becomes null, and so does what derives from it") {
    foreign empty{foreign::way::lacks_memory};
    foreign other{foreign::way::refuses_by_a_derived_class};
    std::pmr::memory_resource& any = empty;
    CHECK(allot::try_allocate_from(empty, 8, 8) == nullptr);
    CHECK(allot::try_allocate_from(other, 8, 8) == nullptr);
    CHECK(allot::try_allocate_from(any, 8, 8) == nullptr);
    CHECK(empty.asked == 2);
  }

  TEST_CASE("any other exception of a foreign resource is not swallowed: it ends the program") {
    CHECK(dies([] {
      foreign up{foreign::way::refuses_by_another_class};
      (void)allot::try_allocate_from(up, 8, 8);
    }));
  }
#endif
}
