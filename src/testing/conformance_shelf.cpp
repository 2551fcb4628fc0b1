#include <allot/testing/conformance_shelf.hpp>

#include <exception>
#include <new>

namespace allot::inline ALLOT_ABI::detail::conformance {
namespace {

/// A pointer of which the compiler knows nothing: it may take what `allocate` gives for non-null.
std::byte* opaque(void* p) {
  void* volatile hidden = p;
  return static_cast<std::byte*>(hidden);
}

answer attempt_of(void* gave) {
  std::byte* const p = opaque(gave);
  return {.p = p, .refused = p == nullptr};
}

#if ALLOT_EXCEPTIONS
/// In a `catch (...)`: lets the end of a thread go on (pthread_exit, pthread_cancel), which is no C++ exception.
void pass_thread_exit() {
  if (std::current_exception() == nullptr) throw;
}
#endif

} // namespace

void does_not_apply(finding& found, const char* reason) {
  found.result = verdict::not_applicable;
  write_line(found.reason, "{}", reason);
}

const char* to_string(way w) {
  switch (w) {
  case way::concrete: return "allocate";
  case way::interface: return "memory_resource::allocate";
  case way::attempt: return "try_allocate";
  case way::attempt_interface: return "resource::try_allocate";
  }
  return "";
}

namespace {

answer ask_once(conformance_subject& subject, way w, std::size_t bytes, std::size_t alignment) {
  switch (w) {
  case way::attempt: return attempt_of(subject.try_allocate(bytes, alignment));
  case way::attempt_interface: return attempt_of(subject.allots()->try_allocate(bytes, alignment));
  case way::concrete:
  case way::interface: break;
  }
#if ALLOT_EXCEPTIONS
  try {
    std::byte* const p =
        opaque(w == way::concrete ? subject.allocate(bytes, alignment) : subject.base().allocate(bytes, alignment));
    return {.p = p, .is_null = p == nullptr};
  } catch (const std::bad_alloc&) {
    return {.refused = true};
  } catch (...) {
    pass_thread_exit();
    return {.threw_other = true};
  }
#else
  return {.refused = true};
#endif
}

/// Requests for which `malloc` had no memory; none of those that were made to fail, or are too large, come so far.
std::size_t starved_of(const conformance_subject& subject) {
  return subject.upstream() == nullptr ? 0 : subject.upstream()->memory().failures();
}

} // namespace

answer ask(conformance_subject& subject, way w, std::size_t bytes, std::size_t alignment) {
  const std::size_t before = starved_of(subject);
  answer a = ask_once(subject, w, bytes, alignment);
  a.starved = a.refused && starved_of(subject) != before;
  subject.count(a.starved);
  return a;
}

bool give(conformance_subject& subject, bool by_interface, void* p, layout l) {
#if ALLOT_EXCEPTIONS
  try {
#endif
    if (by_interface) {
      subject.base().deallocate(p, l.bytes, l.alignment);
    } else {
      subject.deallocate(p, l.bytes, l.alignment);
    }
    return true;
#if ALLOT_EXCEPTIONS
  } catch (...) {
    pass_thread_exit();
    return false;
  }
#endif
}

void expect_served(const answer& a, const conformance_traits& traits, finding& found, way w, layout l) {
  if (a.refused && !a.starved && !traits.bounded && !traits.refuses_everything) {
    fail(found, "{}({}, {}) was refused", to_string(w), l.bytes, l.alignment);
  }
}

void expect_usable(shelf& blocks, const conformance_traits& traits, finding& found, const char* when) {
  for (const way w : ways{traits}) {
    const answer a = blocks.get(w, 1, 1);
    if (a.p != nullptr || a.starved) continue;
    if (!traits.bounded && !traits.refuses_everything) fail(found, "gives no byte after {}", when);
  }
}

void stock(shelf& blocks, way w, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    blocks.get(w, odd_sizes[i % std::size(odd_sizes)], small_alignments[i % std::size(small_alignments)]);
  }
}

std::size_t exhaust(shelf& blocks, way w) {
  std::size_t first = 0;
  for (std::size_t bytes = std::size_t{1} << 24; bytes != 0 && !blocks.full();) {
    if (blocks.get(w, bytes, 1).p == nullptr) {
      bytes /= 2;
    } else if (first == 0) {
      first = bytes;
    }
  }
  return first;
}

} // namespace allot::inline ALLOT_ABI::detail::conformance
