#pragma once

#include <allot/core/claim_flag.hpp>
#include <allot/detail/one_shot.hpp>

#include <cstddef>
#include <span>
#include <type_traits>

namespace allot::inline ALLOT_ABI {

/// A `static_buffer` over an array that lies where the user put it, with the flag kept apart.
///
///     ALLOT_SECTION_BUFFER(usb_frames, 2_KiB, 64, ".usbsram");      // namespace scope of a .cpp file
///     const std::span<std::byte, 2_KiB> frames = usb_frames.claim_zeroed("usb");
///
///     .bss      usb_frames        the flag: zeroed before main, as a flag must be
///     .usbsram  usb_frames_bytes  the array: as its memory happens to be
///
/// Guarantees
/// - The flag is one byte in `.bss` and never in the section; nothing runs before `main` or at exit. It belongs to the
///   array: whoever makes a second handle of the same array claims the same bytes.
/// - `claim()` does not write to the array. Nobody may have zeroed it: take `claim_zeroed()` where that matters.
///
/// Its members are those of `static_buffer`. The array needs linkage (namespace scope, also an unnamed one) and is reached
/// through this handle only.
///
/// Costs: two bytes beside the array. A claim is one atomic exchange, a lost claim a load.
/// Threads: any thread and interrupt handlers, lock-free.
///
/// \snippet tests/source/section_buffer_test.cpp example
/// \tparam Array  a `std::byte[N]`
template <auto& Array>
class section_buffer : public detail::one_shot<section_buffer<Array>, sizeof(Array)> {
  static_assert(std::is_same_v<decltype(Array), std::byte (&)[sizeof(Array)]>, "the buffer is an array of std::byte");

public:
  static constexpr const char* class_name = "section_buffer";

  constexpr section_buffer() noexcept = default;

private:
  friend detail::one_shot<section_buffer, sizeof(Array)>;

  [[nodiscard]] std::span<std::byte, sizeof(Array)> bytes() const noexcept { return Array; }

  static inline constinit claim_flag flag_; // of the array: two handles of one array are one buffer
};

} // namespace allot::inline ALLOT_ABI

/// Defines `name`, a `section_buffer` over `size` bytes that are aligned to `alignment` and lie in the section
/// `linker_section`, a string literal. At namespace scope of a .cpp file; inside an unnamed namespace for internal linkage.
///
/// What the section becomes is decided by its name and by the linker script, not by allot:
/// - `.bss.*` takes no room in the image (NOBITS) and is zeroed by the startup code. g++ treats `.noinit` and `.noinit.*`
///   as NOBITS too; clang does not.
/// - Any other name, `.usbsram` say, is PROGBITS: the zeros are in the object file. A linker script that places such a
///   section in RAM without `(NOLOAD)` puts them into the image too, and all that lies between it and the flash: 536,936,448
///   bytes in place of 4,560 for a section at 0x20000000.
/// - Memory in a `(NOLOAD)` or `.noinit` section holds what it held: `claim_zeroed()`.
/// - One section, one kind of variable. Inline variables and static members of templates, `const` ones, or functions in the
///   same section as this array are a "section type conflict": the array is an ordinary variable, keep the section for such.
#define ALLOT_SECTION_BUFFER(name, size, alignment, linker_section)                                                    \
  alignas(alignment) [[gnu::section(linker_section)]] std::byte name##_bytes[size];                                    \
  constinit ::allot::section_buffer<name##_bytes> name
