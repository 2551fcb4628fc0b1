#include <allot/testing/conformance_checks.hpp>
#include <allot/testing/conformance_shelf.hpp>

#include <cstddef>

namespace allot::inline ALLOT_ABI::detail::conformance {

void run_never_null(const conformance_source& source, finding& found) {
  for (const way w : ways{source.traits()}) {
    with_fresh(source, [&](conformance_subject& subject) {
      for (const std::size_t bytes : sizes{0, 1, 0, 3, 8, 17, 64, 1000}) {
        for (const std::size_t alignment : sizes{1, 8, 16}) {
          const answer a = ask(subject, w, bytes, alignment);
          if (a.is_null) fail(found, "{}({}, {}) gave null", to_string(w), bytes, alignment);
          if (a.p != nullptr) give(subject, w == way::interface, a.p, {bytes, alignment});
        }
      }
    });
  }
}

void run_serves(const conformance_source& source, finding& found) {
  const auto& traits = source.traits();
  for (const way w : ways{traits}) {
    with_fresh(source, [&](conformance_subject& subject) {
      shelf blocks{subject, found, outcomes};
      const answer first = blocks.get(w, 1, 1);
      if (traits.refuses_everything ? !first.refused : first.p == nullptr && !first.starved) {
        fail(found, "the first {}(1, 1) was {}", to_string(w), first.p == nullptr ? "refused" : "served");
      }
      for (const std::size_t bytes : sizes{0, 7, 8, 24, 100, 512, 1025, 4096, 10000, 100000}) {
        for (const std::size_t alignment : sizes{std::size_t{1}, alignof(std::max_align_t)}) {
          expect_served(blocks.get(w, bytes, alignment), traits, found, w, {bytes, alignment});
        }
      }
    });
  }
}

void run_alignment(const conformance_source& source, finding& found) {
  for (std::size_t alignment = 1; alignment <= 4096; alignment *= 2) {
    for (const way w : ways{source.traits()}) {
      with_fresh(source, [&](conformance_subject& subject) {
        shelf blocks{subject, found, addresses};
        for (const std::size_t bytes : sizes{alignment, std::size_t{1}, alignment + 1, alignment - 1, std::size_t{17},
                                             3 * alignment + 5, std::size_t{0}, std::size_t{40}}) {
          expect_served(blocks.get(w, bytes, alignment), source.traits(), found, w, {bytes, alignment});
        }
      });
    }
  }
}

namespace {

void try_large_alignment(const conformance_source& source, finding& found, way w, std::size_t alignment) {
  with_fresh(source, [&](conformance_subject& subject) {
    shelf blocks{subject, found, outcomes | addresses};
    blocks.get(w, 100, alignment);
    expect_usable(blocks, source.traits(), found, "a request with a large alignment");
  });
}

} // namespace

/// The largest one once only: around such a block lie gigabytes, and under MALLOC_PERTURB_ the C library fills them.
void run_large_alignment(const conformance_source& source, finding& found) {
  const ways all{source.traits()};
  for (const unsigned power : {13u, 16u, 20u, 24u}) {
    for (const way w : all)
      try_large_alignment(source, found, w, std::size_t{1} << power);
  }
  try_large_alignment(source, found, all[all.size() - 1], std::size_t{1} << 30);
}

void run_huge_sizes(const conformance_source& source, finding& found) {
  constexpr std::size_t half = size_max / 2;
  for (const way w : ways{source.traits()}) {
    with_fresh(source, [&](conformance_subject& subject) {
      shelf blocks{subject, found, outcomes};
      for (const std::size_t alignment : sizes{1, 2, 8, 16, 64, 4096, 1 << 14, 1 << 20, 1 << 24, 1 << 30}) {
        for (const std::size_t bytes : sizes{size_max, size_max - 1, size_max - 7, size_max - 15, size_max - 64,
                                             size_max - alignment + 1, size_max - alignment, size_max - 2 * alignment,
                                             size_max - 4096, half + 1, half + 1 + alignment, half - 1}) {
          const answer a = ask(subject, w, bytes, alignment);
          if (!a.refused) {
            fail(found, "{}({}, {}) {}", to_string(w), bytes, alignment,
                 a.threw_other ? "threw an exception that is no std::bad_alloc" : "was not refused");
          }
        }
      }
      expect_usable(blocks, source.traits(), found, "a request too large for any memory");
    });
  }
}

void run_zero_bytes(const conformance_source& source, finding& found) {
  for (const way w : ways{source.traits()}) {
    for (const std::size_t alignment : sizes{1, 4, 16, 64}) {
      with_fresh(source, [&](conformance_subject& subject) {
        shelf blocks{subject, found, outcomes | memory};
        for (const std::size_t bytes : sizes{0, 0, 8, 0, 1, 0, 0}) {
          expect_served(blocks.get(w, bytes, alignment), source.traits(), found, w, {bytes, alignment});
        }
        if (blocks.size() > 2) blocks.put(1); // and once more where one has gone
        blocks.get(w, 0, alignment);
      });
    }
  }
}

void run_deallocate_null(const conformance_source& source, finding& found) {
  if (!source.traits().is_allots) return does_not_apply(found, "the standard interface has no such promise");
  with_fresh(source, [&](conformance_subject& subject) {
    subject.deallocate(nullptr, 16, 8);
    shelf blocks{subject, found, outcomes};
    expect_usable(blocks, source.traits(), found, "deallocate(nullptr, 16, 8)");
    if (subject.upstream() != nullptr && subject.upstream()->memory().deallocations() != 0) {
      fail(found, "gives something back for deallocate(nullptr, 16, 8)");
    }
  });
}

void run_try_never_throws(const conformance_source& source, finding& found) {
  if (source.traits().tries_but_throws) return fail(found, "try_allocate is not noexcept");
  if (!source.traits().tries) return does_not_apply(found, "it has no try_allocate");
  with_fresh(source, [&](conformance_subject& subject) {
    if (subject.try_allocate(size_max, 1) != nullptr) fail(found, "try_allocate({}, 1) gave a block", size_max);
    if (subject.upstream() == nullptr) return;
    subject.upstream()->failing().fail_all();
    shelf blocks{subject, found, outcomes};
    for (std::size_t bytes = 1; bytes <= 4096 && !blocks.full(); bytes *= 2)
      blocks.get(way::attempt, bytes, 8);
  });
}

} // namespace allot::inline ALLOT_ABI::detail::conformance
