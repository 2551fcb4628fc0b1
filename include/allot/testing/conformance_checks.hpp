#pragma once

#include <allot/testing/conformance_subject.hpp>

/// \file
/// The checks in the table of conformance.cpp, which says what each of them claims: for its own sources, no promises to
/// users.

namespace allot::inline ALLOT_ABI::detail::conformance {

// Single requests: what comes, or fails cleanly: conformance_requests.cpp.
void run_never_null(const conformance_source& source, finding& found);
void run_serves(const conformance_source& source, finding& found);
void run_alignment(const conformance_source& source, finding& found);
void run_large_alignment(const conformance_source& source, finding& found);
void run_huge_sizes(const conformance_source& source, finding& found);
void run_zero_bytes(const conformance_source& source, finding& found);
void run_deallocate_null(const conformance_source& source, finding& found);
void run_try_never_throws(const conformance_source& source, finding& found);

// Blocks side by side, in any order, and whose they are: conformance_blocks.cpp.
void run_contents(const conformance_source& source, finding& found);
void run_any_order(const conformance_source& source, finding& found);
void run_exhaustion(const conformance_source& source, finding& found);
void run_reuse(const conformance_source& source, finding& found);
void run_equality(const conformance_source& source, finding& found);
void run_owns(const conformance_source& source, finding& found);

// What a resource says of itself: conformance_figures.cpp.
void run_clean_books(const conformance_source& source, finding& found);
void run_figures(const conformance_source& source, finding& found);
void run_remaining(const conformance_source& source, finding& found);

// What a resource does with its upstream: conformance_upstream.cpp.
void run_constructor(const conformance_source& source, finding& found);
void run_asks_once(const conformance_source& source, finding& found);
void run_gives_back(const conformance_source& source, finding& found);
void run_in_bounds(const conformance_source& source, finding& found);
void run_goes_back_clean(const conformance_source& source, finding& found);
void run_leaks_nothing(const conformance_source& source, finding& found);
void run_upstream_failure(const conformance_source& source, finding& found);
void run_upstream_failure_leaks(const conformance_source& source, finding& found);
void run_deallocate_never_fails(const conformance_source& source, finding& found);

// The ways to ask against each other, and all against a model: conformance_agreement.cpp.
void run_try_agrees(const conformance_source& source, finding& found);
void run_random_model(const conformance_source& source, finding& found);

} // namespace allot::inline ALLOT_ABI::detail::conformance
