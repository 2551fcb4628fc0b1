#include <allot/testing/conformance_checks.hpp>
#include <allot/testing/conformance_shelf.hpp>
#include <allot/testing/probe_upstream.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <iterator>
#include <utility>

namespace allot::inline ALLOT_ABI::detail::conformance {

void run_constructor(const conformance_source& source, finding& found) {
  if (!source.traits().has_upstream) return does_not_apply(found, "the fixture offers no upstream");
  with_fresh(source, [&](conformance_subject& subject) {
    const std::size_t calls = subject.upstream()->memory().attempts();
    if (calls != 0) fail(found, "its constructor asked upstream {} times", calls);
  });
}

namespace {

/// What upstream was asked for within one request.
struct asked {
  std::array<layout, 16> list;
  std::size_t count = 0;
  bool refuses = false;
  bool twice = false;

  static bool hear(std::size_t bytes, std::size_t alignment, void* user) noexcept {
    auto& self = *static_cast<asked*>(user);
    const auto end = self.list.begin() + static_cast<std::ptrdiff_t>(self.count);
    self.twice = self.twice || std::find(self.list.begin(), end, layout{bytes, alignment}) != end;
    if (self.count != self.list.size()) self.list[self.count++] = {bytes, alignment};
    return self.refuses;
  }
};

} // namespace

void run_asks_once(const conformance_source& source, finding& found) {
  if (!source.traits().is_allots) return does_not_apply(found, "the standard interface has no such promise");
  if (!source.traits().has_upstream) return does_not_apply(found, "the fixture offers no upstream");
  if (source.traits().asks_again) return does_not_apply(found, "it says that it asks again");
  for (const way w : ways{source.traits()}) {
    with_fresh(source, [&](conformance_subject& subject) {
      asked questions;
      subject.upstream()->failing().fail_if(asked::hear, &questions);
      finding other;
      shelf blocks{subject, other, outcomes};
      for (std::size_t i = 0; i < 60; ++i) {
        questions = {.list = {}, .refuses = i % 2 == 0};
        const std::size_t bytes = i % 10 < 2 ? i * 700 : odd_sizes[i % std::size(odd_sizes)];
        const std::size_t alignment = small_alignments[i % std::size(small_alignments)];
        blocks.get(w, bytes, alignment);
        if (questions.twice) {
          fail(found, "{}({}, {}) asked upstream twice for the same", to_string(w), bytes, alignment);
        }
      }
    });
  }
}

namespace {

/// Plays with upstream's first call failing, then its second, and so on, until no call is left to fail.
template <class F>
void play_with_failures(const conformance_source& source, finding& found, F after_each) {
  constexpr std::size_t most_calls = 120;
  for (const way w : ways{source.traits()}) {
    bool failed_one = true;
    for (std::size_t k = 1; k <= most_calls && failed_one && !failed(found); ++k) {
      upstream_verdict end;
      with_fresh(source, [&](conformance_subject& subject) {
        auto& failing = subject.upstream()->failing();
        subject.upstream()->tell_at_end(end);
        failing.fail_at(k);
        {
          shelf blocks{subject, found, outcomes | memory};
          std::size_t before = 0;
          play(subject, blocks, w, [&](const answer& a, layout l) {
            const bool was_injected = std::exchange(before, failing.failures_injected()) != before;
            if (!a.refused || !was_injected) return; // "serves" looks at the others
            expect_served(blocks.get(w, l.bytes, l.alignment), source.traits(), found, w, l);
          });
        }
        failed_one = failing.failures_injected() != 0;
      });
      after_each(end, k);
    }
  }
}

} // namespace

void run_upstream_failure(const conformance_source& source, finding& found) {
  if (!source.traits().has_upstream) return does_not_apply(found, "the fixture offers no upstream");
  play_with_failures(source, found, [](const upstream_verdict&, std::size_t) {});
}

void run_upstream_failure_leaks(const conformance_source& source, finding& found) {
  if (!source.traits().has_upstream) return does_not_apply(found, "the fixture offers no upstream");
  finding other;
  play_with_failures(source, other, [&](const upstream_verdict& end, std::size_t k) {
    if (end.leaked_blocks != 0) {
      fail(found, "keeps {} upstream blocks for good after upstream's call {} failed", end.leaked_blocks, k);
    }
    if (end.errors != 0) {
      char text[200];
      describe(*end.first_error, text);
      fail(found, "after upstream's call {} failed: {}", k, text);
    }
  });
}

namespace {

/// Plays, and lets `judge` look at what upstream saw.
template <class F>
void judge_upstream(const conformance_source& source, finding& found, F judge) {
  if (!source.traits().has_upstream) return does_not_apply(found, "the fixture offers no upstream");
  finding other;
  for (const way w : ways{source.traits()}) {
    with_fresh(source, [&](conformance_subject& subject) {
      {
        shelf blocks{subject, other, outcomes};
        play(subject, blocks, w, [](const answer&, layout) {});
      }
      judge(*subject.upstream());
    });
  }
}

void fail_with_first(finding& found, checking_resource& memory) {
  char text[200] = "";
  if (const auto first = memory.first_error()) describe(*first, text);
  fail(found, "{}", text);
}

} // namespace

void run_gives_back(const conformance_source& source, finding& found) {
  judge_upstream(source, found, [&](probe_upstream& up) {
    auto& memory = up.memory();
    for (const auto fault : {memory_fault::wrong_size, memory_fault::wrong_alignment, memory_fault::foreign_pointer,
                             memory_fault::double_free}) {
      if (memory.errors(fault) != 0) fail_with_first(found, memory);
    }
  });
}

void run_in_bounds(const conformance_source& source, finding& found) {
  judge_upstream(source, found, [&](probe_upstream& up) {
    auto& memory = up.memory();
    memory.check();
    for (const auto fault : {memory_fault::underrun, memory_fault::overrun, memory_fault::write_after_free}) {
      if (memory.errors(fault) != 0) fail_with_first(found, memory);
    }
  });
}

void run_goes_back_clean(const conformance_source& source, finding& found) {
#if ALLOT_ASAN || ALLOT_VALGRIND
  judge_upstream(source, found, [&](probe_upstream& up) {
    if (up.memory().errors(memory_fault::poisoned) != 0) fail_with_first(found, up.memory());
  });
#else
  (void)source;
  does_not_apply(found, "only AddressSanitizer and Memcheck can tell");
#endif
}

void run_leaks_nothing(const conformance_source& source, finding& found) {
  if (!source.traits().has_upstream) return does_not_apply(found, "the fixture offers no upstream");
  finding other;
  for (const way w : ways{source.traits()}) {
    upstream_verdict end;
    with_fresh(source, [&](conformance_subject& subject) {
      subject.upstream()->tell_at_end(end);
      shelf blocks{subject, other, outcomes};
      play(subject, blocks, w, [](const answer&, layout) {});
    });
    if (end.leaked_blocks != 0) fail(found, "has not given {} upstream blocks back when it ends", end.leaked_blocks);
  }
}

void run_deallocate_never_fails(const conformance_source& source, finding& found) {
  if (!source.traits().has_upstream) return does_not_apply(found, "the fixture offers no upstream");
  for (const way w : ways{source.traits()}) {
    with_fresh(source, [&](conformance_subject& subject) {
      shelf blocks{subject, found, outcomes};
      stock(blocks, w, 60);
      subject.upstream()->failing().fail_all();
      blocks.put_all();
    });
  }
}

} // namespace allot::inline ALLOT_ABI::detail::conformance
