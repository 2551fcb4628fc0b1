#pragma once

#include <allot/core/config.hpp>
#include <allot/report/layer_record.hpp>
#include <allot/report/walk.hpp>

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

namespace allot::inline ALLOT_ABI::report {

/// A name and a value that tell one source from another: `{"tenant", "acme"}`.
struct label {
  std::string_view name;    ///< a letter, then letters, digits, underscores
  std::string_view value{}; ///< any text; an empty one is as if the label were not there
};

/// Up to four labels. Their texts stay where they are.
class label_set {
public:
  constexpr label_set() noexcept = default;
  /// The first without a name ends them.
  constexpr label_set(label first, label second = {}, label third = {}, label fourth = {}) noexcept
      : all_{first, second, third, fourth} {
    while (size_ < all_.size() && !all_[size_].name.empty())
      ++size_;
  }

  /// The labels, for a range-based loop.
  [[nodiscard]] constexpr const label* begin() const noexcept { return all_.data(); }
  [[nodiscard]] constexpr const label* end() const noexcept { return all_.data() + size_; }

  /// True where there is none.
  [[nodiscard]] constexpr bool empty() const noexcept { return size_ == 0; }

private:
  std::array<label, 4> all_{};
  std::size_t size_ = 0; // those behind have no name
};

/// What a report is made of: a stack of layers, a snapshot or a tag table, and the labels that tell it from others.
///
///     const report::source all[] = {process, {acme, {{"tenant", "acme"}}}, {other, {{"tenant", "other"}}}};
///
/// Costs: a pointer to the object, a pointer to the function that walks its type, and the labels.
/// Threads: a report reads the object: as its class says.
class source {
public:
  /// \param what  outlives the source: a value that is about to go does not compile
  template <reportable T>
  source(const T& what, const label_set& labels = {}) noexcept
      : what_{std::addressof(what)},
        walk_{[](const void* p, layer_visitor& visitor) noexcept { report::walk(*static_cast<const T*>(p), visitor); }},
        labels_{labels} {}
  template <reportable T>
  source(const T&& what, const label_set& labels = {}) = delete;

  /// The labels that it was made with.
  [[nodiscard]] const label_set& labels() const noexcept { return labels_; }

  /// Shows it to `visitor`, with the figures of now.
  void show_to(layer_visitor& visitor) const noexcept { walk_(what_, visitor); }

private:
  const void* what_;
  void (*walk_)(const void*, layer_visitor&) noexcept;
  label_set labels_;
};

} // namespace allot::inline ALLOT_ABI::report
