#pragma once

#include <cstddef>
#include <new>

// clang declares these only under -fsized-deallocation.
void operator delete(void* p, std::size_t bytes) noexcept;
void operator delete[](void* p, std::size_t bytes) noexcept;
void operator delete(void* p, std::size_t bytes, std::align_val_t alignment) noexcept;
void operator delete[](void* p, std::size_t bytes, std::align_val_t alignment) noexcept;

/// `p`, of which the compiler knows nothing any more: an allocation that it sees unused may go.
inline void* kept(void* p) {
  asm volatile("" : "+r"(p) : : "memory");
  return p;
}

inline void allocate_and_free(std::size_t bytes) { ::operator delete(kept(::operator new(bytes))); }

/// One form of operator new, and an operator delete that takes its blocks.
struct form {
  const char* name;
  bool aligned; // passes its alignment on
  void* (*allocate)(std::size_t bytes, std::align_val_t alignment);
  void (*deallocate)(void* p, std::size_t bytes, std::align_val_t alignment);
};

using bytes_t = std::size_t;
using align_t = std::align_val_t;

/// Each of the 8 forms of operator new and of the 12 of operator delete, called by name: a new-expression may be elided.
inline constexpr form every_form[] = {
    {"plain", false, [](bytes_t n, align_t) { return kept(::operator new(n)); },
     [](void* p, bytes_t, align_t) { ::operator delete(p); }},
    {"sized", false, [](bytes_t n, align_t) { return kept(::operator new(n)); },
     [](void* p, bytes_t n, align_t) { ::operator delete(p, n); }},
    {"nothrow", false, [](bytes_t n, align_t) { return kept(::operator new(n, std::nothrow)); },
     [](void* p, bytes_t, align_t) { ::operator delete(p, std::nothrow); }},
    {"aligned", true, [](bytes_t n, align_t a) { return kept(::operator new(n, a)); },
     [](void* p, bytes_t, align_t a) { ::operator delete(p, a); }},
    {"aligned sized", true, [](bytes_t n, align_t a) { return kept(::operator new(n, a)); },
     [](void* p, bytes_t n, align_t a) { ::operator delete(p, n, a); }},
    {"aligned nothrow", true, [](bytes_t n, align_t a) { return kept(::operator new(n, a, std::nothrow)); },
     [](void* p, bytes_t, align_t a) { ::operator delete(p, a, std::nothrow); }},
    {"array", false, [](bytes_t n, align_t) { return kept(::operator new[](n)); },
     [](void* p, bytes_t, align_t) { ::operator delete[](p); }},
    {"array sized", false, [](bytes_t n, align_t) { return kept(::operator new[](n)); },
     [](void* p, bytes_t n, align_t) { ::operator delete[](p, n); }},
    {"array nothrow", false, [](bytes_t n, align_t) { return kept(::operator new[](n, std::nothrow)); },
     [](void* p, bytes_t, align_t) { ::operator delete[](p, std::nothrow); }},
    {"array aligned", true, [](bytes_t n, align_t a) { return kept(::operator new[](n, a)); },
     [](void* p, bytes_t, align_t a) { ::operator delete[](p, a); }},
    {"array aligned sized", true, [](bytes_t n, align_t a) { return kept(::operator new[](n, a)); },
     [](void* p, bytes_t n, align_t a) { ::operator delete[](p, n, a); }},
    {"array aligned nothrow", true, [](bytes_t n, align_t a) { return kept(::operator new[](n, a, std::nothrow)); },
     [](void* p, bytes_t, align_t a) { ::operator delete[](p, a, std::nothrow); }},
};
