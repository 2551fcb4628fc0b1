#pragma once

#include "clock.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

namespace schedule {

/// What one thread knows of the others' stores.
struct view {
  clock happened; // before its next step
  clock coherent; // the same, and what fences of sequential consistency add: no load reads what is older
  clock released; // by a fence, for its relaxed stores from then on
  clock acquired; // by relaxed loads, for its next fence

  void learn(const clock& of) noexcept {
    happened.join(of);
    coherent.join(of);
  }
};

/// The atomic objects: for each the stores that a load may still find.
///
/// As C++ has it, a load finds the newest store or an older one that neither the thread nor anything that happened before it
/// knows to be overwritten; one that acquires learns what the release of that store knew. A read-modify-write finds the
/// newest.
///
/// Not modelled: stores that take effect later than others that came after them (each object's stores are in the order in
/// which they were made), loads of what is stored later, and loads of what is older than an object's newest six stores. So not
/// all is found that C++ allows: the release of the blocks in `limit_ledger::give_back_block`, for one, is not seen to be
/// needed. Nothing is found here that C++ forbids, but where a sequentially consistent fence, of which allot has none, orders
/// more than the loads and stores of the threads that have one.
class memory {
public:
  void clear() noexcept {
    locations_.clear();
    sequential_ = {};
  }

  /// The objects there are no more.
  void forget(const volatile void* p, std::size_t bytes) noexcept;

  /// How many stores a load may find. \param newest  the value there now
  std::size_t visible(const volatile void* p, std::uint64_t newest, std::size_t thread, const view& v, int order);

  /// \param age  0 for the newest store, less than `visible`  \return its value
  std::uint64_t load(const volatile void* p, std::size_t age, std::size_t thread, view& v, int order);

  /// The value that the load would have.
  [[nodiscard]] std::uint64_t value(const volatile void* p, std::size_t age) const;

  void store(const volatile void* p, std::uint64_t before, std::uint64_t value, std::size_t thread, view& v, int order,
             bool is_change);

  void fence(view& v, int order) noexcept;

  static bool acquires(int order) noexcept;
  static bool releases(int order) noexcept;

private:
  struct stored {
    std::uint64_t value;
    moment made;
    clock released; // what one who acquires it learns
    bool is_sequential;
  };
  struct found {
    moment when;
    std::size_t index;
  };
  struct location {
    std::vector<stored> stores;
    std::vector<found> loads;
  };

  location& at(const volatile void* p, std::uint64_t newest);

  std::unordered_map<std::uintptr_t, location> locations_;
  clock sequential_; // what fences of sequential consistency have told
};

} // namespace schedule
