#include "memory_page.hpp"

namespace service {

const std::string_view memory_page = R"html(<!DOCTYPE html>
)html";

} // namespace service
