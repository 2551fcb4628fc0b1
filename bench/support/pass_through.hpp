#pragma once

#include <allot/core/adaptor_interface.hpp>

namespace bench {

/// An adaptor that does nothing: the hop that every adaptor costs, which is taken off before what it adds is named.
template <class Upstream>
class pass_through final : public allot::adaptor_interface<pass_through<Upstream>, Upstream> {
  using base = allot::adaptor_interface<pass_through, Upstream>;
  friend base;
  friend allot::resource_interface<pass_through>;

public:
  static constexpr const char* class_name = "pass_through";
  explicit pass_through(Upstream& upstream) noexcept : base{upstream, nullptr} {}
};

} // namespace bench
