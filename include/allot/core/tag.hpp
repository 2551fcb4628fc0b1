#pragma once

#include <allot/core/expects.hpp>
#include <allot/core/threads.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>

#if defined(__clang__) && __clang_major__ < 16
#define ALLOT_DETAIL_LITERAL constexpr // clang 14 crashes on some uses of a consteval constructor
#else
#define ALLOT_DETAIL_LITERAL consteval
#endif

namespace allot::inline ALLOT_ABI {

/// The name of a part of the program that memory is attributed to: "parse", "index", a tenant. Or none.
///
/// Two names are the same where their texts are: the same literal in two translation units is one tag.
class tag_name {
public:
  /// No tag.
  constexpr tag_name() noexcept = default;

  /// A literal, or another constant of static storage duration. Anything else does not compile (with clang from 16 on).
  template <std::size_t N>
  ALLOT_DETAIL_LITERAL tag_name(const char (&text)[N]) noexcept : text_{text}, hash_{hash_of(text)} {}

  /// A text that is made while the program runs, such as a configured name.
  /// \param text  not null; must not change or end as long as any resource has counted for it
  [[nodiscard]] static constexpr tag_name of_static(const char* text) noexcept {
    ALLOT_EXPECTS(text != nullptr);
    tag_name name;
    name.text_ = text;
    name.hash_ = hash_of(text);
    return name;
  }

  /// Null where there is no tag.
  [[nodiscard]] constexpr const char* text() const noexcept { return text_; }

  /// Equal for equal texts.
  [[nodiscard]] constexpr std::uint32_t hash() const noexcept { return hash_; }

private:
  static constexpr std::uint32_t hash_of(const char* text) noexcept {
    std::uint32_t hash = 2166136261U; // FNV-1a
    for (; *text != '\0'; ++text)
      hash = (hash ^ static_cast<unsigned char>(*text)) * 16777619U;
    return hash;
  }

  const char* text_ = nullptr;
  std::uint32_t hash_ = 0;
};

/// Says what this thread works on, to the end of the block: `allot::tag_scope here{"parse"};`
///
///     "request" |-------------------------------------|
///     "parse"          |---------|                        the innermost one is the current tag
///
/// Guarantees
/// - When it ends, the tag before it is current again, also where an exception ends it.
/// - A thread starts without a tag. To carry one over: `[tag = allot::current_tag()] { allot::tag_scope here{tag}; ... }`.
///
/// Costs: four stores at its start, one at its end; the hash of a literal is made by the compiler. Allocates nothing.
/// Threads: each thread has its own. Scopes end in the thread in which they began, the last one first: a coroutine must
/// not be suspended inside of one. An interrupt handler has the tag of the thread that it interrupts. On bare metal there
/// is one for all, also for the tasks of a real-time kernel.
///
/// \snippet tests/core/tag_test.cpp example
class [[nodiscard]] tag_scope {
public:
  /// `tag` is the current one of this thread from here to the end of the scope.
  explicit tag_scope(tag_name tag) noexcept : tag_{tag}, outer_{innermost_} {
    std::atomic_signal_fence(std::memory_order_release); // a handler never sees half of a scope
    innermost_ = this;
  }

  tag_scope(const tag_scope&) = delete;
  tag_scope& operator=(const tag_scope&) = delete;

  ~tag_scope() {
    ALLOT_EXPECTS(innermost_ == this);
    innermost_ = outer_;
    std::atomic_signal_fence(std::memory_order_release);
  }

private:
  friend tag_name current_tag() noexcept;

  // Defined in the library, so that every part of a program has the same one. One pointer: a handler that interrupts a
  // scope's start or end sees the tag before it or after it, and nothing in between.
  ALLOT_DETAIL_STATIC_TLS static constinit ALLOT_DETAIL_THREAD_LOCAL const tag_scope* innermost_;

  tag_name tag_;
  const tag_scope* outer_;
};

/// The tag of the innermost `tag_scope` of this thread; none where there is none.
[[nodiscard]] inline tag_name current_tag() noexcept {
  const tag_scope* const innermost = tag_scope::innermost_;
  return innermost == nullptr ? tag_name{} : innermost->tag_;
}

} // namespace allot::inline ALLOT_ABI

#undef ALLOT_DETAIL_LITERAL
