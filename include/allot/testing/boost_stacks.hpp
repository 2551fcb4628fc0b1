#pragma once

#include <allot/testing/stack_source.hpp>

namespace allot::inline ALLOT_ABI {

/// The call stacks of Boost.Stacktrace, for `checking_options::stacks`:
///
///     allot::checking_resource memory{{.name = "parser", .stacks = &allot::boost_stacks()}};
///
/// In a library of its own, which is there where Boost.Stacktrace is (1.81 or later; Meson option `stacktrace`): link
/// `allot_stacktrace_dep` in Meson, `allot_stacktrace` by pkg-config.
///
/// Guarantees
/// - Taking a stack allocates nothing. Describing one does, by operator new and malloc, while a report is written.
/// - Over libbacktrace a frame is its function, file and line: compile with -g. Over addr2line it is the function alone
///   where the program is position-independent: link with -rdynamic.
///
/// Costs: a stack is taken at each allocation and at each deallocation: about 25,000 instructions for one of a dozen frames
/// and 1,200 for each further frame (g++ 12, x86-64), where the pair of calls alone takes 2,000.
/// Threads: any thread.
///
/// \snippet tests/testing/boost_stacks_test.cpp example
[[nodiscard]] const stack_source& boost_stacks() noexcept;

} // namespace allot::inline ALLOT_ABI
