#include <allot/testing/conformance_checks.hpp>
#include <allot/testing/conformance_shelf.hpp>
#include <allot/testing/probe_upstream.hpp>

#include <algorithm>
#include <cstddef>
#include <utility>

namespace allot::inline ALLOT_ABI::detail::conformance {

namespace {

conformance_figures first_figures(const conformance_source& source) {
  conformance_figures figures;
  with_fresh(source, [&](conformance_subject& subject) { figures = subject.figures(); });
  return figures;
}

} // namespace

void run_clean_books(const conformance_source& source, finding& found) {
  const conformance_figures has = first_figures(source);
  if (!has.used && !has.high_water) return does_not_apply(found, "it has neither used() nor high_water()");
  for (const way w : ways{source.traits()}) {
    with_fresh(source, [&](conformance_subject& subject) {
      if (subject.upstream() != nullptr) subject.upstream()->failing().fail_every(3);
      finding other;
      shelf blocks{subject, other, outcomes};
      for (const std::size_t bytes : sizes{8, 100, size_max, 0, 3000, size_max / 2 + 1, 40, 20000, 17, 70000, 1}) {
        for (const std::size_t alignment : sizes{1, 16, 128}) {
          const conformance_figures before = subject.figures();
          const answer a = blocks.get(w, bytes, alignment);
          const conformance_figures after = subject.figures();
          if (!a.refused || (after.used == before.used && after.high_water == before.high_water)) continue;
          fail(found, "{}({}, {}) was refused: used() went from {} to {}, high_water() from {} to {}", to_string(w),
               bytes, alignment, before.used.value_or(0), after.used.value_or(0), before.high_water.value_or(0),
               after.high_water.value_or(0));
        }
      }
    });
  }
}

namespace {

/// Holds what a resource says of itself against the blocks that it gave.
class figures_watch {
public:
  figures_watch(conformance_subject& subject, finding& found) : subject_{subject}, found_{found} {}

  void look(const shelf& blocks) {
    const conformance_figures now = subject_.figures();
    const std::size_t live = blocks.bytes();
    if (now.used && *now.used < live) fail(found_, "used() is {} with {} bytes live", *now.used, live);
    if (now.high_water && *now.high_water < std::max(live, now.used.value_or(0))) {
      fail(found_, "high_water() is {} with {} bytes live and used() {}", *now.high_water, live, now.used.value_or(0));
    }
    if (now.capacity && *now.capacity < std::max({live, now.used.value_or(0), now.high_water.value_or(0)})) {
      fail(found_, "capacity() is {} with {} bytes live, used() {} and high_water() {}", *now.capacity, live,
           now.used.value_or(0), now.high_water.value_or(0));
    }
    if (now.high_water.value_or(0) < std::exchange(highest_, now.high_water.value_or(0))) {
      fail(found_, "high_water() fell to {}", highest_);
    }
  }

private:
  conformance_subject& subject_;
  finding& found_;
  std::size_t highest_ = 0;
};

} // namespace

void run_figures(const conformance_source& source, finding& found) {
  const conformance_figures has = first_figures(source);
  if (!has.used && !has.high_water && !has.capacity) {
    return does_not_apply(found, "it has none of used(), capacity() and high_water()");
  }
  for (const bool takes_all : {false, true}) {
    for (const way w : ways{source.traits()}) {
      with_fresh(source, [&](conformance_subject& subject) {
        const conformance_figures start = subject.figures();
        finding other;
        shelf blocks{subject, other, outcomes};
        figures_watch watch{subject, found};
        if (takes_all && start.capacity) {
          exhaust(blocks, w);
          watch.look(blocks);
        } else {
          play(subject, blocks, w, [&](const answer&, layout) { watch.look(blocks); });
        }
        blocks.put_all();
        watch.look(blocks);
        if (source.traits().reuses_memory && subject.figures().used != start.used) {
          fail(found, "used() is {} when all is back", subject.figures().used.value_or(0));
        }
      });
    }
  }
}

namespace {

/// Asks for what `remaining` says and `more`, from a resource with a few blocks live.
void try_remaining(const conformance_source& source, finding& found, way w, std::size_t alignment, std::size_t more) {
  with_fresh(source, [&](conformance_subject& subject) {
    finding other;
    shelf blocks{subject, other, 0};
    if (alignment > 1) stock(blocks, w, 5);
    const std::size_t room = subject.remaining(alignment).value_or(0);
    if (room > probe_upstream::largest_bytes || room + more == 0) return;
    const bool may_grow = subject.upstream() != nullptr && !subject.figures().capacity;
    if (may_grow) subject.upstream()->failing().fail_all(); // what is left is what fits without upstream
    const answer a = blocks.get(w, room + more, alignment);
    if (a.refused == (more != 0) || a.starved) return;
    fail(found, "remaining({}) is {}, and {}({}, {}) was {}", alignment, room, to_string(w), room + more, alignment,
         a.refused ? "refused" : "served");
  });
}

} // namespace

void run_remaining(const conformance_source& source, finding& found) {
  bool has_it = false;
  with_fresh(source, [&](conformance_subject& subject) { has_it = subject.remaining(1).has_value(); });
  if (!has_it) return does_not_apply(found, "it has no remaining()");
  for (const way w : ways{source.traits()}) {
    for (const std::size_t alignment : sizes{1, 2, 8, 16, 64, 512}) {
      for (const std::size_t more : sizes{0, 1})
        try_remaining(source, found, w, alignment, more);
    }
  }
}

} // namespace allot::inline ALLOT_ABI::detail::conformance
