#pragma once

#include <allot/core/chain_recipe.hpp>
#include <allot/core/ownership.hpp>
#include <allot/core/resource_interface.hpp>
#include <allot/core/upstream.hpp>

#include <cstddef>
#include <type_traits>
#include <utility>

namespace allot::inline ALLOT_ABI {

/// The types of a chain's layers, outermost first; the last is a reference where it lives elsewhere.
template <class... Layers>
struct layers {};

namespace detail {

/// The types that recipes make, each over the next one: found from the innermost outwards.
template <class... Recipes>
struct layers_made;

template <class Source>
struct layers_made<Source> {
  static_assert(chain_recipe_type<Source>,
                "what stands in a chain is layer<...>(...), source<...>(...) or over(resource)");
  static_assert(Source::is_source, "the last of a chain is its source: source<...>(...) or over(...)");
  using type = layers<typename Source::template made_over<>>;
};

template <class Recipe, class... Inner>
struct layers_made<Recipe, Inner...> {
  static_assert(chain_recipe_type<Recipe>,
                "what stands in a chain is layer<...>(...), source<...>(...) or over(resource)");
  static_assert(!Recipe::is_source, "a source is the last of a chain");

  template <class... Made>
  static auto over(layers<Made...>) -> layers<typename Recipe::template made_over<first_object<Made...>>, Made...>;

  using type = decltype(over(typename layers_made<Inner...>::type{}));
};

/// The upstream as a layer of type `Layer` is to see it: over one of its own type it would be a copy.
template <class Layer, class Upstream>
[[nodiscard]] constexpr auto& seen_by(Upstream& upstream) noexcept {
  if constexpr (std::is_same_v<Layer, Upstream>) {
    return static_cast<typename Layer::upstream_type&>(upstream);
  } else {
    return upstream;
  }
}

/// Each layer in its place: what is below it is built before it and destroyed after it.
template <class... Layers>
struct layer_stack;

template <class Source>
struct layer_stack<Source> {
  template <chain_recipe_type Recipe>
  explicit constexpr layer_stack(Recipe& recipe) noexcept(noexcept(recipe.template make<Source>()))
      : layer(recipe.template make<Source>()) {}

  Source layer;
};

template <class Outer, class... Inner>
struct layer_stack<Outer, Inner...> {
  template <chain_recipe_type Recipe, class... Recipes>
  explicit constexpr layer_stack(Recipe& recipe, Recipes&... below) noexcept(
      std::is_nothrow_constructible_v<layer_stack<Inner...>, Recipes&...>&& noexcept(
          recipe.template make<Outer>(seen_by<Outer>(std::declval<first_object<Inner...>&>()))))
      : inner(below...), layer(recipe.template make<Outer>(seen_by<Outer>(inner.layer))) {}

  layer_stack<Inner...> inner;
  Outer layer;
};

template <std::size_t I, class Stack>
[[nodiscard]] constexpr auto& layer_at(Stack& stack) noexcept {
  if constexpr (I == 0) {
    return stack.layer;
  } else {
    return layer_at<I - 1>(stack.inner);
  }
}

template <class T, class Layer>
inline constexpr bool is_layer = std::is_same_v<std::remove_reference_t<Layer>, T>;

template <template <class...> class Class, class T>
inline constexpr bool is_made_from = false;
template <template <class...> class Class, class... T>
inline constexpr bool is_made_from<Class, Class<T...>> = true;

template <template <class, auto, auto...> class Class, class T>
inline constexpr bool is_made_with_values = false;
template <template <class, auto, auto...> class Class, class T, auto V, auto... Vs>
inline constexpr bool is_made_with_values<Class, Class<T, V, Vs...>> = true;

/// The index of the one `true`; what is none of one kind is refused with the reason.
template <bool... Matches>
[[nodiscard]] consteval std::size_t only_match() {
  static_assert((std::size_t{Matches} + ...) != 0, "the chain has no such layer");
  static_assert((std::size_t{Matches} + ...) < 2, "the chain has more than one such layer: say which by its index");
  std::size_t index = 0;
  static_cast<void>(((Matches || (++index, false)) || ...));
  return index;
}

} // namespace detail

/// Owns a stack of layers as one resource: what is written first is called first. Each layer is built in its place over
/// the one below it, innermost first, and destroyed in the opposite order.
///
///     chain request{layer<limit_adaptor>(16_KiB), layer<counting_adaptor>(), source<bump_resource<64_KiB>>()};
///
///     container -> request: | limit_adaptor -> counting_adaptor -> bump_resource |
///
/// Guarantees
/// - Every type is known: a call is inlined down to the source, or to the first upstream that is not.
/// - Where the constructor of a layer throws, those below it are destroyed, and the exception goes on.
/// - Adds nothing to a call: `owns`, a failure and its record are those of the layers.
/// - `layer<0>()` is the outermost, `layer<depth - 1>()` the source; `layer<counting_adaptor>()` finds it by its class.
///
/// As a member it is `decltype(make_request(...)) request;`, where the function returns the chain: it is built in the
/// member and never moved. In static memory it is claimed from a `static_slot`. A chain's source may be a chain.
///
/// Costs: the layers and a pointer to a virtual table.
/// Threads: as the outermost layer says, and those below it.
///
/// \snippet tests/core/chain_test.cpp example
template <class Layers>
class chain;

/// The chain of these layers: what `chain` is once its recipes have made their types.
template <class... Layers>
class chain<layers<Layers...>> final : public resource_interface<chain<layers<Layers...>>> {
  using outermost = detail::first_object<Layers...>;

public:
  static constexpr const char* class_name = "chain";

  /// True where `owns` never answers `unknown`.
  static constexpr bool owns_is_exact = knows_its_own<outermost>;

  /// The layers that the chain has, its source among them.
  static constexpr std::size_t depth = sizeof...(Layers);

  /// The type of the outermost layer.
  using upstream_type = outermost;

  /// Builds the layers, the last one first, each from the arguments of its recipe.
  /// \throws what a constructor of a layer throws
  template <chain_recipe_type... Recipes>
  explicit constexpr chain(Recipes... recipes) noexcept(
      std::is_nothrow_constructible_v<detail::layer_stack<Layers...>, Recipes&...>)
      : layers_(recipes...) {
    static_assert(std::is_same_v<layers<Layers...>, typename detail::layers_made<Recipes...>::type>,
                  "the recipes make other layers than this chain has");
  }

  /// The layer at `I`, counted from the outermost one.
  template <std::size_t I>
  [[nodiscard]] constexpr auto& layer() noexcept {
    static_assert(I < depth, "the chain has fewer layers");
    return detail::layer_at<I>(layers_);
  }
  template <std::size_t I>
  [[nodiscard]] constexpr const auto& layer() const noexcept {
    static_assert(I < depth, "the chain has fewer layers");
    return detail::layer_at<I>(layers_);
  }

  /// The one layer of type `T`.
  template <class T>
  [[nodiscard]] constexpr auto& layer() noexcept {
    return layer<detail::only_match<detail::is_layer<T, Layers>...>()>();
  }
  template <class T>
  [[nodiscard]] constexpr const auto& layer() const noexcept {
    return layer<detail::only_match<detail::is_layer<T, Layers>...>()>();
  }

  /// The one layer of the class template `T`, as in `layer<counting_adaptor>()`.
  template <template <class...> class T>
  [[nodiscard]] constexpr auto& layer() noexcept {
    return layer<detail::only_match<detail::is_made_from<T, std::remove_reference_t<Layers>>...>()>();
  }
  template <template <class...> class T>
  [[nodiscard]] constexpr const auto& layer() const noexcept {
    return layer<detail::only_match<detail::is_made_from<T, std::remove_reference_t<Layers>>...>()>();
  }

  /// The same for a class template that has values among its parameters.
  template <template <class, auto, auto...> class T>
  [[nodiscard]] constexpr auto& layer() noexcept {
    return layer<detail::only_match<detail::is_made_with_values<T, std::remove_reference_t<Layers>>...>()>();
  }
  template <template <class, auto, auto...> class T>
  [[nodiscard]] constexpr const auto& layer() const noexcept {
    return layer<detail::only_match<detail::is_made_with_values<T, std::remove_reference_t<Layers>>...>()>();
  }

  /// The outermost layer, from which a report walks on; never null.
  [[nodiscard]] constexpr outermost* upstream_resource() noexcept { return &layers_.layer; }
  [[nodiscard]] constexpr const outermost* upstream_resource() const noexcept { return &layers_.layer; }

private:
  friend resource_interface<chain>;

  void* place(std::size_t bytes, std::size_t alignment) noexcept {
    return try_allocate_from(*upstream_resource(), bytes, alignment);
  }
  void* place_or_fail(std::size_t bytes, std::size_t alignment) { return layers_.layer.allocate(bytes, alignment); }
  void give_back(void* p, std::size_t bytes, std::size_t alignment) noexcept {
    layers_.layer.deallocate(p, bytes, alignment);
  }
  [[nodiscard]] ownership holds(const void* p) const noexcept { return owned_by(*upstream_resource(), p); }

  detail::layer_stack<Layers...> layers_;
};

template <class... Recipes>
chain(Recipes...) -> chain<typename detail::layers_made<Recipes...>::type>;

} // namespace allot::inline ALLOT_ABI
