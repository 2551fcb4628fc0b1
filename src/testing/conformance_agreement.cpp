#include <allot/testing/conformance_checks.hpp>
#include <allot/testing/conformance_shelf.hpp>
#include <allot/testing/split_mix.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace allot::inline ALLOT_ABI::detail::conformance {

namespace {

/// How the requests of a script went.
struct outcome {
  std::uint64_t served = 0; // one bit for each
  std::size_t known = 0;    // so many, until the first for which there was no memory: what comes behind it may differ
};

/// Plays a script of requests that fail for different reasons.
outcome play_script(const conformance_source& source, way w, std::size_t failing_call, finding& found) {
  outcome all;
  bool starved = false;
  with_fresh(source, [&](conformance_subject& subject) {
    if (subject.upstream() != nullptr && failing_call != 0) subject.upstream()->failing().fail_at(failing_call);
    shelf blocks{subject, found, outcomes};
    std::size_t i = 0;
    for (const std::size_t bytes : sizes{std::size_t{8}, std::size_t{100}, size_max, std::size_t{0}, std::size_t{3000},
                                         size_max / 2 + 1, std::size_t{40}, std::size_t{20000}, std::size_t{17},
                                         std::size_t{70000}, std::size_t{1}, std::size_t{500}, std::size_t{500}}) {
      for (const std::size_t alignment : sizes{1, 16, 128}) {
        const answer a = blocks.get(w, bytes, alignment);
        starved = starved || a.starved;
        if (a.p != nullptr) all.served |= std::uint64_t{1} << i;
        ++i;
        if (!starved) all.known = i;
      }
      if (i % 12 == 0 && blocks.size() != 0) blocks.put(0);
    }
  });
  return all;
}

} // namespace

void run_try_agrees(const conformance_source& source, finding& found) {
  if (!source.traits().tries) return does_not_apply(found, "it has no try_allocate");
  const ways all{source.traits()};
  const std::size_t most = source.traits().has_upstream ? 24 : 0;
  finding other;
  for (std::size_t k = 0; k <= most; ++k) {
    const outcome expected = play_script(source, all[0], k, other);
    for (const way w : all) {
      const outcome got = play_script(source, w, k, other);
      const std::uint64_t comparable = (std::uint64_t{1} << std::min(expected.known, got.known)) - 1;
      if (((got.served ^ expected.served) & comparable) == 0) continue;
      fail(found, "{} and {} disagree over a request when upstream's call {} fails (0: none)", to_string(all[0]),
           to_string(w), k);
    }
  }
}

namespace {

void run_random(const conformance_source& source, finding& found, std::uint64_t seed) {
  const ways all{source.traits()};
  upstream_verdict end;
  with_fresh(source, [&](conformance_subject& subject) {
    split_mix random{seed};
    const bool failing = subject.upstream() != nullptr && seed % 2 == 0;
    if (subject.upstream() != nullptr) subject.upstream()->tell_at_end(end);
    if (failing) subject.upstream()->failing().fail_with_probability(0.1, seed);
    shelf blocks{subject, found, everything};
    for (int i = 0; i < 1000 && !failed(found); ++i) {
      if (blocks.size() != 0 && (blocks.full() || random.below(5) < 2)) {
        blocks.put(random.below(blocks.size()), random.below(2) == 0);
        continue;
      }
      const bool is_large = !source.traits().bounded && random.below(50) == 0;
      const std::size_t bytes = random.below(std::size_t{1} << (is_large ? 17 : random.below(12)));
      const std::size_t alignment = std::size_t{1} << random.below(8);
      const way w = all[random.below(all.size())];
      const answer a = blocks.get(w, bytes, alignment);
      if (!failing) expect_served(a, source.traits(), found, w, {bytes, alignment});
    }
    blocks.check_contents();
  });
  if (end.leaked_blocks != 0) fail(found, "has not given {} upstream blocks back when it ends", end.leaked_blocks);
  if (end.errors != 0) {
    char text[200];
    describe(*end.first_error, text);
    fail(found, "{}", text);
  }
}

} // namespace

void run_random_model(const conformance_source& source, finding& found) {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    finding one;
    run_random(source, one, seed);
    if (failed(one)) return fail(found, "seed {}: {}", seed, one.reason);
  }
}

} // namespace allot::inline ALLOT_ABI::detail::conformance
