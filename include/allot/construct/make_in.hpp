#pragma once

#include <allot/construct/allocator.hpp>

#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

/// \file
/// Containers that live in a resource, made in one expression and not moved: `make_in<std::pmr::string>(arena, "text")`,
/// `make_in<std::map, int, std::string>(arena)`, `vector_in<int>(arena, 1000)`, `string_in(arena, "text")`.
///
/// Where a template is named, the container's allocator is `allocator_for` the resource: typed and without virtual calls
/// for a concrete resource, and `std::pmr::polymorphic_allocator` (thus `std::pmr::vector<int>`) for an interface.
///
/// \snippet tests/construct/make_in_test.cpp example

namespace allot::inline ALLOT_ABI {

namespace detail {

/// T takes an allocator of the resource; a pair, where one half does.
template <class T, class Resource>
inline constexpr bool takes_allocator_of = std::uses_allocator_v<std::remove_cv_t<T>, allocator<std::byte, Resource>>;

template <class First, class Second, class Resource>
inline constexpr bool takes_allocator_of<std::pair<First, Second>, Resource> =
    takes_allocator_of<First, Resource> || takes_allocator_of<Second, Resource>;

template <class Container, class Resource, class... Args>
[[nodiscard]] Container make_with_allocator(Resource& resource, Args&&... args) {
  static_assert(takes_allocator_of<Container, Resource>,
                "this type takes no allocator of the resource, and would get its memory elsewhere: "
                "name std::pmr::vector<int>, or the template alone, as in make_in<std::vector, int>(resource)");
  return std::make_obj_using_allocator<Container>(allocator<std::byte, Resource>{resource},
                                                  std::forward<Args>(args)...);
}

/// `Container` with `allocator_for` the resource in the place of its allocator.
template <class Container, class Resource>
struct moved_in;

template <template <class...> class Template, class... Args, class Resource>
struct moved_in<Template<Args...>, Resource> {
  using old_allocator = typename Template<Args...>::allocator_type;
  using new_allocator = allocator_for<typename old_allocator::value_type, Resource>;
  using type = Template<std::conditional_t<std::is_same_v<Args, old_allocator>, new_allocator, Args>...>;
};

/// Converts to `std::size_t` or to `const char*`, and means neither.
template <class T>
concept no_text_and_no_count = std::is_null_pointer_v<T> || std::same_as<T, bool> || std::same_as<T, char> ||
    std::same_as<T, wchar_t> || std::same_as<T, char8_t> || std::same_as<T, char16_t> || std::same_as<T, char32_t>;

} // namespace detail

/// A standard container as it is when it lives in a resource of that type: `container_in<std::vector<int>, Resource>`.
template <class Container, class Resource>
using container_in = typename detail::moved_in<Container, Resource>::type;

/// A `Container` (or any type that takes an allocator, pairs of such included) made of `args`, in `resource`.
/// Its allocator is `std::pmr::polymorphic_allocator`, or an `allocator` that the resource converts to; a type that
/// takes neither, as `std::vector<int>`, does not compile.
/// \param resource  outlives the container
template <class Container, class Resource, class... Args>
[[nodiscard]] Container make_in(Resource& resource, Args&&... args) {
  return detail::make_with_allocator<Container>(resource, std::forward<Args>(args)...);
}

/// The same, with elements in braces: `make_in<std::pmr::vector<int>>(arena, {1, 2, 3})`. The elements are copied from
/// the list. Those that take an allocator, as `std::pmr::string`, come into the list before this function is called, and
/// so with the default resource, unless each is given its own: to have them nowhere else, make the container empty and
/// add them by `emplace`.
template <class Container, class Resource>
[[nodiscard]] Container make_in(Resource& resource, std::initializer_list<typename Container::value_type> elements) {
  return detail::make_with_allocator<Container>(resource, elements);
}

/// A container given by its template and element types: `make_in<std::vector, int>(arena, 10)`. Further types are the
/// template's own (`make_in<std::map, int, int, std::greater<>>(arena)`); its allocator is chosen by the resource.
template <template <class...> class Template, class... Types, class Resource, class... Args>
[[nodiscard]] container_in<Template<Types...>, Resource> make_in(Resource& resource, Args&&... args) {
  return make_in<container_in<Template<Types...>, Resource>>(resource, std::forward<Args>(args)...);
}

/// The same, with elements in braces: `make_in<std::map, int, char>(arena, {{1, 'a'}, {2, 'b'}})`. As above, the list
/// itself is not in the resource.
template <template <class...> class Template, class... Types, class Resource>
[[nodiscard]] container_in<Template<Types...>, Resource>
make_in(Resource& resource, std::initializer_list<typename Template<Types...>::value_type> elements) {
  return make_in<container_in<Template<Types...>, Resource>>(resource, elements);
}

/// An empty vector with room for `reserve` elements. A vector that grows by `push_back` leaves about two thirds of an
/// arena behind as holes; one that has its room from the start leaves none.
template <class T, class Resource>
[[nodiscard]] container_in<std::vector<T>, Resource> vector_in(Resource& resource, std::size_t reserve = 0) {
  auto elements = make_in<container_in<std::vector<T>, Resource>>(resource);
  elements.reserve(reserve);
  return elements;
}

/// A string with the given text.
template <class Resource>
[[nodiscard]] container_in<std::string, Resource> string_in(Resource& resource, std::string_view text = {}) {
  return make_in<container_in<std::string, Resource>>(resource, text);
}

/// An empty string with room for `reserve` characters.
template <class Resource>
[[nodiscard]] container_in<std::string, Resource> string_in(Resource& resource, std::size_t reserve) {
  auto text = string_in(resource);
  text.reserve(reserve);
  return text;
}

/// Neither a text nor a number of characters: `string_in(arena, 'x')`, `string_in(arena, nullptr)`.
template <class Resource, detail::no_text_and_no_count T>
void string_in(Resource& resource, T) = delete;

} // namespace allot::inline ALLOT_ABI
