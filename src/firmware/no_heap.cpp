// The object that keeps the heap out of a firmware image: allot_no_heap. It takes the place of library functions, in two ways.
//
// As the C++ standard allows to any program ([new.delete]): every operator new and delete. Those that may throw give the
// request to the failure handler and do not return; those that may not throw return null, as the standard asks of them, so
// that std::stable_sort does without its buffer; a delete of what is not null is a wrong deallocation.
//
// Beyond the standard, by the names that libstdc++, newlib and the ABI of Arm give them:
// - abort and std::terminate, the pure and the deleted virtual function: `allot_trap`. newlib's abort brings signals, and they
//   malloc.
// - libstdc++'s std::__throw_*, for what containers call: the failure handler. Where they throw they bring the unwinder.
// - __aeabi_atexit: forgets. Firmware does not exit, and the list of what to do then is kept by malloc.
// - __aeabi_unwind_cpp_pr0 to 2: empty. The tables that libgcc's own functions carry refer to them.
// - std::pmr::memory_resource's destructor and the default resource: libstdc++ has them in one object with the pools, with an
//   initialiser that registers for exit and asks for operator new. The default resource has no memory here.
//
// These are weak: another definition in the program, or the library's where something else brings it (all of std's monotonic
// buffer does), takes their place. The operators are not: a second definition of one is an error of the linker.

#include <allot/core/atomic.hpp>
#include <allot/core/failure.hpp>

#include <cstddef>
#include <cstdlib>
#include <exception>
#include <functional>
#include <memory_resource>
#include <new>

#if !ALLOT_BARE_METAL
#error "allot_no_heap is for programs with nothing below them"
#endif
#if !defined(__GLIBCXX__) || (defined(_GLIBCXX_INLINE_VERSION) && _GLIBCXX_INLINE_VERSION)
#error "allot_no_heap takes the place of functions of libstdc++, under the names that they have in namespace std itself"
#endif

/// What a linker is asked for (`-u allot_no_heap`) to take this object out of a static library before it looks into libc.
extern "C" constinit const char allot_no_heap = 1;

namespace {

constexpr const char* why = "allot_no_heap";

[[noreturn, gnu::noinline]] void refuse(const char* who, std::size_t bytes, std::size_t alignment) noexcept {
  allot::halt({.resource = who, .detail = why, .bytes = bytes, .alignment = alignment});
}

[[gnu::noinline]] void refuse_back(const char* who, const void* p, std::size_t bytes, std::size_t alignment) noexcept {
  if (p == nullptr) return;
  allot::halt({.reason = allot::failure_reason::wrong_deallocation,
               .resource = who,
               .detail = why,
               .pointer = p,
               .bytes = bytes,
               .alignment = alignment});
}

// The forms of arrays have names of their own also because g++ 12 makes one function of two that are equal, by a call, and then
// leaves out that call, as it may any of operator new whose result is not used: what remained was an empty function.

[[noreturn]] void refuse_new(const char* who, std::size_t bytes,
                             std::align_val_t alignment = std::align_val_t{__STDCPP_DEFAULT_NEW_ALIGNMENT__}) noexcept {
  refuse(who, bytes, static_cast<std::size_t>(alignment));
}

void refuse_delete(const char* who, const void* p, std::size_t bytes = 0, std::align_val_t alignment = {}) noexcept {
  refuse_back(who, p, bytes, static_cast<std::size_t>(alignment));
}

[[noreturn, gnu::noinline]] void refuse_throw(const char* exception, const char* what) noexcept {
  allot::halt({.reason = allot::failure_reason::precondition, .resource = exception, .detail = what});
}

} // namespace

void* operator new(std::size_t n) { refuse_new("operator new", n); }
void* operator new[](std::size_t n) { refuse_new("operator new[]", n); }
void* operator new(std::size_t n, std::align_val_t a) { refuse_new("operator new", n, a); }
void* operator new[](std::size_t n, std::align_val_t a) { refuse_new("operator new[]", n, a); }
void* operator new(std::size_t, const std::nothrow_t&) noexcept { return nullptr; }
void* operator new[](std::size_t, const std::nothrow_t&) noexcept { return nullptr; }
void* operator new(std::size_t, std::align_val_t, const std::nothrow_t&) noexcept { return nullptr; }
void* operator new[](std::size_t, std::align_val_t, const std::nothrow_t&) noexcept { return nullptr; }

void operator delete(void* p) noexcept { refuse_delete("operator delete", p); }
void operator delete[](void* p) noexcept { refuse_delete("operator delete[]", p); }
void operator delete(void* p, std::size_t n) noexcept { refuse_delete("operator delete", p, n); }
void operator delete[](void* p, std::size_t n) noexcept { refuse_delete("operator delete[]", p, n); }
void operator delete(void* p, std::align_val_t a) noexcept { refuse_delete("operator delete", p, 0, a); }
void operator delete[](void* p, std::align_val_t a) noexcept { refuse_delete("operator delete[]", p, 0, a); }
void operator delete(void* p, std::size_t n, std::align_val_t a) noexcept { refuse_delete("operator delete", p, n, a); }
void operator delete[](void* p, std::size_t n, std::align_val_t a) noexcept {
  refuse_delete("operator delete[]", p, n, a);
}
void operator delete(void* p, const std::nothrow_t&) noexcept { refuse_delete("operator delete", p); }
void operator delete[](void* p, const std::nothrow_t&) noexcept { refuse_delete("operator delete[]", p); }
void operator delete(void* p, std::align_val_t a, const std::nothrow_t&) noexcept {
  refuse_delete("operator delete", p, 0, a);
}
void operator delete[](void* p, std::align_val_t a, const std::nothrow_t&) noexcept {
  refuse_delete("operator delete[]", p, 0, a);
}

extern "C" {

int __aeabi_atexit(void* object, void (*destructor)(void*), void* module) noexcept;
[[noreturn]] void __cxa_pure_virtual();
[[noreturn]] void __cxa_deleted_virtual();
void __aeabi_unwind_cpp_pr0();
void __aeabi_unwind_cpp_pr1();
void __aeabi_unwind_cpp_pr2();

[[gnu::weak]] void abort() { allot_trap(); }
[[gnu::weak]] void __cxa_pure_virtual() { allot_trap(); }
[[gnu::weak]] void __cxa_deleted_virtual() { allot_trap(); }
[[gnu::weak]] int __aeabi_atexit(void*, void (*)(void*), void*) noexcept { return 0; }
[[gnu::weak]] void __aeabi_unwind_cpp_pr0() {}
[[gnu::weak]] void __aeabi_unwind_cpp_pr1() {}
[[gnu::weak]] void __aeabi_unwind_cpp_pr2() {}
}

namespace std {

[[gnu::weak]] void terminate() noexcept { allot_trap(); }

// The texts are "vector::reserve" and the like.
[[gnu::weak]] void __throw_bad_alloc() { refuse_throw("std::bad_alloc", nullptr); }
[[gnu::weak]] void __throw_bad_array_new_length() { refuse_throw("std::bad_array_new_length", nullptr); }
[[gnu::weak]] void __throw_bad_function_call() { refuse_throw("std::bad_function_call", nullptr); }
[[gnu::weak]] void __throw_logic_error(const char* what) { refuse_throw("std::logic_error", what); }
[[gnu::weak]] void __throw_domain_error(const char* what) { refuse_throw("std::domain_error", what); }
[[gnu::weak]] void __throw_invalid_argument(const char* what) { refuse_throw("std::invalid_argument", what); }
[[gnu::weak]] void __throw_length_error(const char* what) { refuse_throw("std::length_error", what); }
[[gnu::weak]] void __throw_out_of_range(const char* what) { refuse_throw("std::out_of_range", what); }
[[gnu::weak]] void __throw_out_of_range_fmt(const char* what, ...) { refuse_throw("std::out_of_range", what); }
[[gnu::weak]] void __throw_runtime_error(const char* what) { refuse_throw("std::runtime_error", what); }
[[gnu::weak]] void __throw_range_error(const char* what) { refuse_throw("std::range_error", what); }
[[gnu::weak]] void __throw_overflow_error(const char* what) { refuse_throw("std::overflow_error", what); }
[[gnu::weak]] void __throw_underflow_error(const char* what) { refuse_throw("std::underflow_error", what); }

} // namespace std

// The key function: its object is where the class's virtual table lies, which is to be weak as well.
[[gnu::weak]] std::pmr::memory_resource::~memory_resource() = default;
__asm__(".weak _ZTVNSt3pmr15memory_resourceE");
#if defined(__GXX_RTTI)
__asm__(".weak _ZTINSt3pmr15memory_resourceE\n\t.weak _ZTSNSt3pmr15memory_resourceE");
#endif

namespace {

/// Has no memory, and says on whose behalf it was asked.
class no_memory final : public std::pmr::memory_resource {
public:
  explicit no_memory(const char* who) noexcept : who_{who} {}

private:
  void* do_allocate(std::size_t bytes, std::size_t alignment) override { refuse(who_, bytes, alignment); }
  void do_deallocate(void* p, std::size_t bytes, std::size_t alignment) override {
    refuse_back(who_, p, bytes, alignment);
  }
  [[nodiscard]] bool do_is_equal(const memory_resource& other) const noexcept override { return this == &other; }

  const char* who_;
};

/// Storage for one: as a static of its own type it would run before `main`. Each that asks for it writes the same.
struct no_memory_place {
  no_memory* made(const char* who) noexcept { return ::new (static_cast<void*>(bytes)) no_memory{who}; }

  alignas(no_memory) std::byte bytes[sizeof(no_memory)];
};

constinit no_memory_place for_new_delete{};
constinit no_memory_place for_null{};
constinit allot::detail::atomic<std::pmr::memory_resource*> default_resource{nullptr};

} // namespace

namespace std::pmr {

[[gnu::weak]] memory_resource* new_delete_resource() noexcept {
  return for_new_delete.made("std::pmr::new_delete_resource");
}
[[gnu::weak]] memory_resource* null_memory_resource() noexcept {
  return for_null.made("std::pmr::null_memory_resource");
}

[[gnu::weak]] memory_resource* get_default_resource() noexcept {
  memory_resource* const set = default_resource.load();
  return set != nullptr ? set : new_delete_resource();
}
[[gnu::weak]] memory_resource* set_default_resource(memory_resource* resource) noexcept {
  memory_resource* const before = default_resource.exchange(resource);
  return before != nullptr ? before : new_delete_resource();
}

} // namespace std::pmr
