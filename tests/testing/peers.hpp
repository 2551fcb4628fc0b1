#pragma once

#include <allot/testing/conformance.hpp>

#include <cstddef>
#include <memory_resource>

#if ALLOT_HAS_BOOST_CONTAINER
#include <boost/container/pmr/global_resource.hpp>
#include <boost/container/pmr/memory_resource.hpp>
#include <boost/container/pmr/monotonic_buffer_resource.hpp>
#include <boost/container/pmr/synchronized_pool_resource.hpp>
#include <boost/container/pmr/unsynchronized_pool_resource.hpp>
#endif

/// Fixtures for the memory resources of other libraries.
namespace peers {

struct std_new_delete {
  std::pmr::memory_resource& resource() { return *std::pmr::new_delete_resource(); }
  static constexpr bool single_instance = true;
};

struct std_null {
  std::pmr::memory_resource& resource() { return *std::pmr::null_memory_resource(); }
  static constexpr bool single_instance = true;
  static constexpr bool refuses_everything = true;
};

struct std_monotonic {
  allot::probe_upstream up;
  std::pmr::monotonic_buffer_resource r{&up};
  auto& resource() { return r; }
  auto& upstream() { return up; }
  static constexpr bool reuses_memory = false;
};

/// Over a buffer, and nothing behind it.
struct std_monotonic_buffer {
  std::byte buffer[20000];
  std::pmr::monotonic_buffer_resource r{buffer, sizeof buffer, std::pmr::null_memory_resource()};
  auto& resource() { return r; }
  static constexpr bool reuses_memory = false;
  static constexpr bool bounded = true;
};

template <class Pool>
struct pool {
  allot::probe_upstream up;
  Pool r{&up};
  auto& resource() { return r; }
  auto& upstream() { return up; }
};
using std_unsynchronized_pool = pool<std::pmr::unsynchronized_pool_resource>;
using std_synchronized_pool = pool<std::pmr::synchronized_pool_resource>;

#if ALLOT_HAS_BOOST_CONTAINER

namespace boost_pmr = boost::container::pmr;

/// A resource of Boost's interface as one of the standard's. Adds nothing, so that what is found is Boost's.
class as_std : public std::pmr::memory_resource {
public:
  explicit as_std(boost_pmr::memory_resource& r) : r_{r} {}

private:
  void* do_allocate(std::size_t n, std::size_t a) override { return r_.allocate(n, a); }
  void do_deallocate(void* p, std::size_t n, std::size_t a) override { r_.deallocate(p, n, a); }
  bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override {
    const auto* const o = dynamic_cast<const as_std*>(&other);
    return o != nullptr && r_.is_equal(o->r_);
  }
  boost_pmr::memory_resource& r_;
};

/// The other way round, for an upstream.
class as_boost : public boost_pmr::memory_resource {
public:
  explicit as_boost(std::pmr::memory_resource& r) : r_{r} {}

private:
  void* do_allocate(std::size_t n, std::size_t a) override { return r_.allocate(n, a); }
  void do_deallocate(void* p, std::size_t n, std::size_t a) override { r_.deallocate(p, n, a); }
  bool do_is_equal(const boost_pmr::memory_resource& other) const noexcept override { return this == &other; }
  std::pmr::memory_resource& r_;
};

struct boost_new_delete {
  as_std r{*boost_pmr::new_delete_resource()};
  std::pmr::memory_resource& resource() { return r; }
  static constexpr bool single_instance = true;
};

struct boost_null {
  as_std r{*boost_pmr::null_memory_resource()};
  std::pmr::memory_resource& resource() { return r; }
  static constexpr bool single_instance = true;
  static constexpr bool refuses_everything = true;
};

struct boost_monotonic {
  allot::probe_upstream up;
  as_boost below{up};
  boost_pmr::monotonic_buffer_resource boosts{&below};
  as_std r{boosts};
  auto& resource() { return r; }
  auto& upstream() { return up; }
  static constexpr bool reuses_memory = false;
};

struct boost_monotonic_buffer {
  std::byte buffer[20000];
  boost_pmr::monotonic_buffer_resource boosts{buffer, sizeof buffer, boost_pmr::null_memory_resource()};
  as_std r{boosts};
  auto& resource() { return r; }
  static constexpr bool reuses_memory = false;
  static constexpr bool bounded = true;
};

template <class Pool>
struct boost_pool {
  allot::probe_upstream up;
  as_boost below{up};
  Pool boosts{&below};
  as_std r{boosts};
  auto& resource() { return r; }
  auto& upstream() { return up; }
};
using boost_unsynchronized_pool = boost_pool<boost_pmr::unsynchronized_pool_resource>;
using boost_synchronized_pool = boost_pool<boost_pmr::synchronized_pool_resource>;

#endif

} // namespace peers
