#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace tour {

/// A regular file that is read from its start as often as needed, a piece at a time.
class text_file {
public:
  /// \throws usage_error  where it cannot be opened, is a directory, or cannot be read twice
  explicit text_file(std::string path);
  ~text_file();
  text_file(const text_file&) = delete;
  text_file& operator=(const text_file&) = delete;

  /// Fills `piece` from byte `offset` on.
  /// \return the bytes read, 0 at the end
  /// \throws usage_error  where the system cannot read
  [[nodiscard]] std::size_t read(std::uint64_t offset, std::span<char> piece) const;

  /// Bytes as the directory says; some system files say 0 and have more.
  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

private:
  std::string path_;
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
};

} // namespace tour
