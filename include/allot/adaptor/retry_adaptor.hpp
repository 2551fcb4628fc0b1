#pragma once

#include <allot/core/adaptor_interface.hpp>
#include <allot/core/expects.hpp>

#include <cstddef>
#include <memory_resource>
#include <new>

namespace allot::inline ALLOT_ABI {

/// A request that upstream has just failed.
struct failed_attempt {
  std::size_t bytes = 0;     ///< asked for
  std::size_t alignment = 0; ///< asked for
  std::size_t number = 0;    ///< of the attempt, from 1
};

/// Called after an attempt that failed and was not the last one. It may free something, to this resource also.
/// \return true to try again, false to give up
using retry_callback = bool (*)(const failed_attempt& failed, void* user) noexcept;

/// How a `retry_adaptor` goes on where its upstream fails.
struct retry_policy {
  retry_callback callback = nullptr; ///< never null in use
  void* user = nullptr;              ///< goes to `callback`
  std::size_t most_attempts = 3;     ///< for one request, the first one counted; at least 1
};

/// Asks its upstream again where it fails, after a callback that may have made room: by dropping a cache, say.
///
///     allocate --> upstream fails --> callback frees something: "again" --> upstream delivers
///                                     callback: "give up", or attempts used up --> the failure goes on
///
/// Guarantees
/// - One request makes at most `most_attempts()` calls of upstream, and asks the callback between two of them.
/// - The failure that goes on is that of the last attempt: upstream's own exception, or null from `try_allocate`. An
///   exception that is no `std::bad_alloc` goes on at once.
/// - Nothing is held while the callback runs.
///
/// Built without exceptions, `allocate` makes all attempts but the last possible one by `try_allocate`. Where the callback
/// gives up earlier, upstream's `allocate` is called once more, so that the failure handler gets upstream's own record.
///
/// The callback must not allocate from this resource: it could be asked about that in turn, without an end.
///
/// Costs: nothing while upstream delivers; for each failed attempt of `allocate` upstream's exception is caught.
/// Threads: as upstream, and the callback.
///
/// \snippet tests/adaptor/retry_adaptor_test.cpp example
template <class Upstream = std::pmr::memory_resource>
class retry_adaptor final : public adaptor_interface<retry_adaptor<Upstream>, Upstream> {
  using base = adaptor_interface<retry_adaptor, Upstream>;

public:
  static constexpr const char* class_name = "retry_adaptor";

  /// \param upstream  outlives the adaptor
  /// \param policy    has a callback, and allows at least one attempt
  /// \param name      for reports; static storage
  explicit retry_adaptor(Upstream& upstream, const retry_policy& policy, const char* name = nullptr) noexcept
      : base{upstream, name}, policy_{policy} {
    ALLOT_EXPECTS(policy.callback != nullptr && policy.most_attempts > 0);
  }

  /// Most calls of upstream for one request.
  [[nodiscard]] std::size_t most_attempts() const noexcept { return policy_.most_attempts; }

private:
  friend base;
  friend resource_interface<retry_adaptor>;

  // These hide those of adaptor_interface, which ask once.

  void* place_or_fail(std::size_t bytes, std::size_t alignment) {
    failed_attempt attempt{.bytes = bytes, .alignment = alignment, .number = 1};
#if ALLOT_EXCEPTIONS
    for (;; ++attempt.number) {
      try {
        return this->upstream_resource()->allocate(bytes, alignment);
      } catch (const std::bad_alloc&) {
        if (!goes_on_after(attempt)) throw;
      }
    }
#else
    for (; attempt.number < most_attempts(); ++attempt.number) {
      if (void* const p = try_allocate_from(*this->upstream_resource(), bytes, alignment)) return p;
      if (!goes_on_after(attempt)) break;
    }
    return this->upstream_resource()->allocate(bytes, alignment);
#endif
  }

  void* place(std::size_t bytes, std::size_t alignment) noexcept {
    for (failed_attempt attempt{.bytes = bytes, .alignment = alignment, .number = 1};; ++attempt.number) {
      if (void* const p = try_allocate_from(*this->upstream_resource(), bytes, alignment)) return p;
      if (!goes_on_after(attempt)) return nullptr;
    }
  }

  [[nodiscard]] bool goes_on_after(const failed_attempt& attempt) const noexcept {
    return attempt.number < most_attempts() && policy_.callback(attempt, policy_.user);
  }

  retry_policy policy_;
};

} // namespace allot::inline ALLOT_ABI
