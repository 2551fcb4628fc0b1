#pragma once

#include <allot/adaptor/counting_snapshot.hpp>

#include <optional>

namespace service {

/// What `operator new` gave out in the whole process; nothing in a program without allot's global counter. The service has
/// none, since that would slow down what it is compared with; `service_counted` is the same with it.
[[nodiscard]] std::optional<allot::counting_snapshot> new_figures() noexcept;

} // namespace service
