#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace service {

enum class method : unsigned char { get, head, post, other, unknown };

/// A text of at most N bytes, kept beside the buffer it was read from. What is longer is not kept, and `fits` says so.
template <std::size_t N>
class short_text {
public:
  void assign(std::string_view text) noexcept {
    fits_ = text.size() <= N;
    size_ = fits_ ? text.copy(text_, N) : 0;
  }
  /// As the fields of an HTTP header are joined.
  void append_list(std::string_view text) noexcept {
    if (size_ == 0) return assign(text);
    if (size_ + 1 + text.size() > N) {
      fits_ = false;
    } else {
      text_[size_++] = ',';
      size_ += text.copy(text_ + size_, N - size_);
    }
  }
  [[nodiscard]] bool fits() const noexcept { return fits_; }
  [[nodiscard]] std::string_view view() const noexcept { return {text_, size_}; }

private:
  bool fits_ = true;
  std::size_t size_ = 0;
  char text_[N];
};

/// What the service wants to know of a request's header.
struct request_head {
  service::method method = method::unknown;
  int version = 11;
  unsigned hosts = 0; ///< fields of that name
  bool has_transfer_encoding = false;
  bool only_chunked = true; ///< each transfer coding is that one
  bool has_content_type = false;
  bool has_expect = false;
  short_text<1024> target;
  short_text<128> content_type;
  short_text<512> accept;
  short_text<32> expect;
  short_text<64> tenant;
};

/// A target of origin or absolute form, taken apart.
struct request_target {
  std::string_view path;
  std::string_view query;
};
[[nodiscard]] request_target split_target(std::string_view target) noexcept;

/// The value of `top` in a query; `otherwise` where there is none, nothing where it is no number from 1 to `most`.
[[nodiscard]] std::optional<std::size_t> top_of(std::string_view query, std::size_t otherwise,
                                                std::size_t most) noexcept;

/// Whether a media type is `application/json` or ends in `+json`, whatever its parameters.
[[nodiscard]] bool is_json(std::string_view content_type) noexcept;

/// Whether an Accept field wants OpenMetrics at least as much as plain text. An empty one does not.
[[nodiscard]] bool prefers_openmetrics(std::string_view accept) noexcept;

/// Whether the letters are the same but for the case of those of ASCII.
[[nodiscard]] bool same_word(std::string_view a, std::string_view b) noexcept;

} // namespace service
