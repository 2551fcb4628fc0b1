#include <allot/testing/conformance_checks.hpp>
#include <allot/testing/conformance_shelf.hpp>
#include <allot/testing/probe_upstream.hpp>
#include <allot/testing/split_mix.hpp>

#include <cstddef>
#include <utility>

namespace allot::inline ALLOT_ABI::detail::conformance {

void run_contents(const conformance_source& source, finding& found) {
  for (const way w : ways{source.traits()}) {
    with_fresh(source, [&](conformance_subject& subject) {
      shelf blocks{subject, found, memory};
      stock(blocks, w, 100);
      blocks.check_contents();
    });
  }
}

void run_any_order(const conformance_source& source, finding& found) {
  for (const int order : {0, 1, 2}) {
    for (const way w : ways{source.traits()}) {
      with_fresh(source, [&](conformance_subject& subject) {
        shelf blocks{subject, found, memory};
        split_mix random{7};
        stock(blocks, w, 60);
        while (blocks.size() != 0) {
          const std::size_t i = order == 0 ? blocks.size() - 1 : order == 1 ? 0 : random.below(blocks.size());
          blocks.put(i, random.below(2) == 0);
          blocks.check_contents();
        }
        expect_usable(blocks, source.traits(), found, "everything was given back");
      });
    }
  }
}

void run_exhaustion(const conformance_source& source, finding& found) {
  if (!source.traits().bounded) return does_not_apply(found, "it is not bounded");
  for (const way w : ways{source.traits()}) {
    with_fresh(source, [&](conformance_subject& subject) {
      shelf blocks{subject, found, outcomes | memory};
      const std::size_t first = exhaust(blocks, w);
      if (first == 0 || blocks.full()) return;
      for (int i = 0; i < 2; ++i) {
        if (blocks.get(w, first, 1).p != nullptr) fail(found, "gives {} bytes after it had refused 1", first);
      }
      blocks.check_contents();
      blocks.put_all();
      if (!source.traits().reuses_memory) return;
      if (const answer a = blocks.get(w, first, 1); a.p == nullptr && !a.starved) {
        fail(found, "refuses {} bytes that it gave before, when all is back", first);
      }
    });
  }
}

void run_reuse(const conformance_source& source, finding& found) {
  if (!source.traits().reuses_memory || source.traits().refuses_everything)
    return does_not_apply(found, "it does not reuse memory");
  constexpr int turns = 400;
  for (const way w : ways{source.traits()}) {
    with_fresh(source, [&](conformance_subject& subject) {
      // Growth by and by is a loss; a cache fills up, and then there is a doubling of the turns without growth.
      std::size_t held = 0;
      bool gave = false;
      bool always_grew = subject.upstream() != nullptr;
      for (int turn = 1; turn <= turns && !failed(found); ++turn) {
        shelf blocks{subject, found, outcomes};
        const answer first = blocks.get(w, 64, 8);
        if (turn == 1) gave = !first.refused;
        if (first.refused && !first.starved && gave)
          fail(found, "refuses in turn {} what it gave, and got back, before", turn);
        stock(blocks, w, 20);
        if (!always_grew || (turn != turns && turn != turns / 2 && turn != turns / 4 && turn != turns / 8)) continue;
        const std::size_t holds_now = subject.upstream()->memory().live_bytes();
        always_grew = holds_now > std::exchange(held, holds_now);
      }
      if (always_grew) fail(found, "holds ever more upstream memory in {} turns of the same requests", turns);
    });
  }
}

void run_equality(const conformance_source& source, finding& found) {
  with_fresh(source, [&](conformance_subject& subject) {
    if (!subject.base().is_equal(subject.base())) fail(found, "is not equal to itself");
    probe_upstream other;
    if (subject.base().is_equal(other)) fail(found, "is equal to a resource of another type");
    if (subject.equals_a_twin().value_or(false)) fail(found, "is equal to another one over the same upstream");
    if (source.traits().single_instance) return;
    with_fresh(source, [&](conformance_subject& second) {
      if (subject.base().is_equal(second.base()) || subject.base() == second.base()) {
        fail(found, "is equal to another resource of its type");
      }
    });
  });
}

namespace {

void expect_owns(const conformance_subject& subject, const void* p, ownership never, bool exact, finding& found) {
  const char* const what = never == ownership::no ? "its own block" : "a foreign address";
  const ownership by_base = subject.allots() == nullptr ? subject.owns(p) : subject.allots()->owns(p);
  for (const ownership said : {subject.owns(p), by_base}) {
    if (said == never) fail(found, "owns says {} of {}", never == ownership::no ? "no" : "yes", what);
    if (said == ownership::unknown && exact) fail(found, "owns says unknown of {}, and claims to be exact", what);
  }
}

} // namespace

void run_owns(const conformance_source& source, finding& found) {
  if (!source.traits().owns) return does_not_apply(found, "it has no owns");
  static constexpr char elsewhere = 'x';
  const bool exact = source.traits().owns_is_exact;
  for (const way w : ways{source.traits()}) {
    with_fresh(source, [&](conformance_subject& subject) {
      const char local = 'x';
      for (const std::size_t bytes : sizes{1, 8, 100, 3000}) {
        const answer a = ask(subject, w, bytes, 8);
        if (a.p == nullptr) continue;
        expect_owns(subject, a.p, ownership::no, exact, found);
        expect_owns(subject, a.p + bytes - 1, ownership::no, exact, found);
        expect_owns(subject, &local, ownership::yes, exact, found);
        expect_owns(subject, &elsewhere, ownership::yes, exact, found);
        give(subject, false, a.p, {bytes, 8});
      }
    });
  }
}

} // namespace allot::inline ALLOT_ABI::detail::conformance
