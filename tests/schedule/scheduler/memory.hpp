#pragma once

#include "clock.hpp"

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

namespace schedule {

/// The atomic objects: for each the stores that a load may still find.
///
/// As C++ has it, a load finds the newest store or an older one that neither the thread nor anything that happened before it
/// knows to be overwritten; one that acquires learns what the release of that store knew. A read-modify-write finds the
/// newest.
///
/// Not modelled: stores that take effect later than others that came after them (each object's stores are in the order in
/// which they were made), loads of what is stored later, and loads of what is older than an object's newest six stores. So not
/// all is found that C++ allows: the release of the blocks in `limit_ledger::give_back_block`, for one, is not seen to be
/// needed. Nothing is found here that C++ forbids. Of fences between threads allot has none: code that has one is not linked.
class memory {
public:
  void clear() noexcept { locations_.clear(); }

  /// The objects there are no more.
  void forget(const volatile void* p, std::size_t bytes) noexcept;

  /// How many stores a load may find. \param newest  the value there now
  /// \param seen  the clock of `thread`
  std::size_t visible(const volatile void* p, std::uint64_t newest, std::size_t thread, const clock& seen, int order);

  /// \param age  0 for the newest store, less than `visible`  \return its value
  std::uint64_t load(const volatile void* p, std::size_t age, std::size_t thread, clock& seen, int order);

  /// The value that the load would have.
  [[nodiscard]] std::uint64_t value(const volatile void* p, std::size_t age) const;

  void store(const volatile void* p, std::uint64_t before, std::uint64_t value, std::size_t thread, const clock& seen,
             int order);

  /// A read-modify-write.
  void change(const volatile void* p, std::uint64_t before, std::uint64_t value, std::size_t thread, clock& seen,
              int order);

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
};

} // namespace schedule
