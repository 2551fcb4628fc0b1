#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace support {

/// `text` as a number of bytes: digits, then nothing, B, KiB, MiB or GiB (K, M and G mean the same; case does not
/// matter). Nothing where it is no size or does not fit.
[[nodiscard]] std::optional<std::size_t> parse_size(std::string_view text) noexcept;

} // namespace support
