#pragma once

/// \file
/// The map. Every public header, by room; include the ones that you use, or this one for all of them.
///
/// | room       | what lives there                                                                      |
/// | ---------- | ------------------------------------------------------------------------------------- |
/// | core/      | the words that all rooms use: layout, failure, resource, `once`, `chain`, tags        |
/// | source/    | places memory that it has, or takes from the system                                   |
/// | arena/     | bumps through one or more chunks, frees all at once                                   |
/// | pool/      | recycles blocks, of one size or of many, for one thread or for any                    |
/// | adaptor/   | one upstream, adds one thing                                                          |
/// | router/    | several upstreams, picks one per call                                                 |
/// | construct/ | how containers and objects get a resource                                             |
/// | report/    | snapshots, stacks and tags as text, JSON or OpenMetrics, into a caller's buffer       |
/// | interop/   | Boost.Container's resources and containers; not included here: needs Boost            |
/// | global/    | counts what operator new gives out; not included here: a library of its own           |
/// | testing/   | probes for tests; not included here: name their headers                               |
/// | detail/    | no promises to users                                                                  |
///
/// A `_resource` places a block itself, an `_adaptor` passes each call to its one upstream, a `_router` picks one of
/// several. docs/contracts.md says what all of them promise.

#include <allot/core/adaptor_interface.hpp>
#include <allot/core/chain.hpp>
#include <allot/core/chain_recipe.hpp>
#include <allot/core/claim_flag.hpp>
#include <allot/core/config.hpp>
#include <allot/core/expects.hpp>
#include <allot/core/failure.hpp>
#include <allot/core/layout.hpp>
#include <allot/core/once.hpp>
#include <allot/core/ownership.hpp>
#include <allot/core/resource.hpp>
#include <allot/core/resource_interface.hpp>
#include <allot/core/static_slot.hpp>
#include <allot/core/tag.hpp>
#include <allot/core/threads.hpp>
#include <allot/core/upstream.hpp>

#if !ALLOT_BARE_METAL
#include <allot/source/guard_page_resource.hpp>
#endif
#include <allot/source/malloc_resource.hpp>
#include <allot/source/null_resource.hpp>
#if !ALLOT_BARE_METAL
#include <allot/source/page_resource.hpp>
#endif
#include <allot/source/section_buffer.hpp>
#include <allot/source/static_buffer.hpp>
#include <allot/source/static_resource.hpp>

#include <allot/arena/arena_scope.hpp>
#include <allot/arena/atomic_bump_resource.hpp>
#include <allot/arena/bump_resource.hpp>
#include <allot/arena/monotonic_resource.hpp>
#include <allot/arena/sizing_resource.hpp>
#include <allot/arena/static_arena.hpp>

#include <allot/pool/block_pool_resource.hpp>
#if ALLOT_THREADS
#include <allot/pool/concurrent_pool_resource.hpp>
#endif
#include <allot/pool/pool_class_figures.hpp>
#include <allot/pool/pool_resource.hpp>

#include <allot/adaptor/aligned_adaptor.hpp>
#include <allot/adaptor/counting_adaptor.hpp>
#include <allot/adaptor/counting_region.hpp>
#include <allot/adaptor/counting_snapshot.hpp>
#if !ALLOT_BARE_METAL
#include <allot/adaptor/crash_dump.hpp>
#endif
#include <allot/adaptor/limit_adaptor.hpp>
#include <allot/adaptor/plain_counters.hpp>
#include <allot/adaptor/retry_adaptor.hpp>
#include <allot/adaptor/shared_counters.hpp>
#include <allot/adaptor/size_histogram.hpp>
#if !ALLOT_BARE_METAL
#include <allot/adaptor/striped_counters.hpp>
#endif
#include <allot/adaptor/synchronized_adaptor.hpp>
#include <allot/adaptor/tag_adaptor.hpp>
#include <allot/adaptor/tag_snapshot.hpp>
#if !ALLOT_BARE_METAL
#include <allot/adaptor/trace_adaptor.hpp>
#endif
#include <allot/adaptor/trace_callback.hpp>
#include <allot/adaptor/trace_event.hpp>
#include <allot/adaptor/trace_format.hpp>
#if !ALLOT_MASKS_INTERRUPTS
#include <allot/adaptor/trace_ring.hpp>
#endif
#include <allot/adaptor/trace_stamps.hpp>
#if !ALLOT_BARE_METAL
#include <allot/adaptor/trace_writer.hpp>
#endif

#include <allot/router/fallback_router.hpp>
#include <allot/router/size_router.hpp>

#include <allot/construct/allocator.hpp>
#include <allot/construct/default_resource_guard.hpp>
#include <allot/construct/make_in.hpp>
#include <allot/construct/no_default_resource_guard.hpp>
#include <allot/construct/shared_in.hpp>
#include <allot/construct/unique_in.hpp>

#include <allot/report/exposition.hpp>
#include <allot/report/json.hpp>
#include <allot/report/text.hpp>
