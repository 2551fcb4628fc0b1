#pragma once

#include <allot/core/config.hpp>

#include <concepts>
#include <cstddef>
#include <functional>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>

namespace allot::inline ALLOT_ABI {

namespace detail {

template <class... T>
struct first;
template <class First, class... Rest>
struct first<First, Rest...> {
  using type = std::remove_reference_t<First>;
};

/// The first type, without a reference.
template <class... T>
using first_object = typename first<T...>::type;

/// What a recipe makes: one type, whatever it is made from.
template <class Resource>
struct exactly {
  template <class...>
  using made_from = Resource;
};

/// `Class<Upstream>`, named only where it is chosen: `Class` may need more arguments.
template <template <class...> class Class, class Upstream>
struct over_upstream {
  using type = Class<Upstream>;
};

/// What `Class(from...)` deduces; where that is the upstream's own type, which is a copy and no layer, `Class` over it.
template <template <class...> class Class>
struct deduced {
  template <class... From, class Made = decltype(Class(std::declval<From>()...))>
  requires(!std::same_as<Made, first_object<From..., void>>) static auto choose(int) -> std::type_identity<Made>;
  template <class... From>
  static auto choose(...) -> over_upstream<Class, first_object<From...>>;

  template <class... From>
  using made_from = typename decltype(choose<From...>(0))::type;
};

/// The same for `template <class Upstream, std::size_t N> class ...`: no template parameter takes both kinds. What is not
/// deduced is refused, since the defaults of its values cannot be known here.
template <template <class, auto, auto...> class Class>
struct deduced_with_defaults {
  template <class... From, class Made = decltype(Class(std::declval<From>()...))>
  requires(!std::same_as<Made, first_object<From..., void>>) static auto choose(int) -> std::type_identity<Made>;
  template <class... From>
  static auto choose(...) {
    static_assert(
        std::same_as<Class<first_object<From..., void>, 0>, void>,
        "this layer's type is not deduced from what is below it and these arguments (over its own type it would "
        "be a copy): give its values, layer<adaptor, 16>(...)");
  }

  template <class... From>
  using made_from = typename decltype(choose<From...>(0))::type;
};

/// `Class` over the upstream, with its values given.
template <template <class, auto, auto...> class Class, auto... Values>
struct with_values {
  template <class... From>
  using made_from = Class<first_object<From...>, Values...>;
};

} // namespace detail

/// What is to be built in a chain, and from what: made by `layer` and `source`, consumed by `chain`. The arguments are
/// kept as `std::make_tuple` keeps them: by value, and what was given by `std::ref` as a reference.
template <class Kind, bool IsSource, class... Args>
class chain_recipe {
public:
  /// False for an adaptor, which is built over the layer below it.
  static constexpr bool is_source = IsSource;

  /// The type that is built over `Upstream`; a source has none.
  template <class... Upstream>
  using made_over = typename Kind::template made_from<Upstream&..., Args...>;

  /// For `layer` and `source`: keeps the arguments.
  template <class... Given>
  explicit constexpr chain_recipe(std::in_place_t,
                                  Given&&... given) noexcept((std::is_nothrow_constructible_v<Args, Given> && ...))
      : args_{std::forward<Given>(given)...} {}

  /// Builds it where it is to stay: the value is never moved. Consumes the arguments.
  template <class Made, class... Upstream>
  [[nodiscard]] constexpr Made
  make(Upstream&... upstream) noexcept(std::is_nothrow_constructible_v<Made, Upstream&..., Args...>) {
    return make<Made>(std::index_sequence_for<Args...>{}, upstream...);
  }

private:
  template <class Made, std::size_t... I, class... Upstream>
  constexpr Made make(std::index_sequence<I...>,
                      Upstream&... upstream) noexcept(std::is_nothrow_constructible_v<Made, Upstream&..., Args...>) {
    static_assert(std::is_constructible_v<Made, Upstream&..., Args...>,
                  "no constructor of this layer takes its upstream and these arguments");
    return Made(upstream..., std::forward<Args>(std::get<I>(args_))...);
  }

  std::tuple<Args...> args_;
};

/// The innermost layer of a chain where it lives elsewhere: made by `over`.
template <class Resource>
class chain_reference {
public:
  /// It is the last of a chain.
  static constexpr bool is_source = true;

  /// A reference stands for it in the chain.
  template <class... Upstream>
  using made_over = Resource&;

  /// \param resource  outlives the chain
  explicit constexpr chain_reference(Resource& resource) noexcept : resource_{&resource} {}

  /// The resource itself: there is nothing to build.
  template <class Made>
  [[nodiscard]] constexpr Made make() noexcept {
    return *resource_;
  }

private:
  Resource* resource_;
};

/// What a chain is made from.
template <class T>
concept chain_recipe_type = requires {
  requires std::same_as<decltype(T::is_source), const bool>;
};

namespace detail {

template <class Kind, bool IsSource, class... Args>
using recipe_for = chain_recipe<Kind, IsSource, std::unwrap_ref_decay_t<Args>...>;

/// Keeps the arguments as `std::make_tuple` does.
template <class Kind, bool IsSource, class... Args>
[[nodiscard]] constexpr auto
recipe(Args&&... args) noexcept((std::is_nothrow_constructible_v<std::unwrap_ref_decay_t<Args>, Args> && ...)) {
  static_assert((std::is_constructible_v<std::unwrap_ref_decay_t<Args>, Args> && ...),
                "the arguments of a layer are kept by value: what cannot be copied goes by std::move or by std::ref");
  return recipe_for<Kind, IsSource, Args...>{std::in_place, std::forward<Args>(args)...};
}

} // namespace detail

/// A layer of a `chain`: the adaptor over what stands below it, `Adaptor(upstream, args...)`. The type is deduced as in
/// that expression, so that a policy goes by its value: `layer<counting_adaptor>(shared_counters, "rx")`. A size is best
/// written as one (`100_B`): an int is converted where the layer is built, which is where a compiler warns of it.
template <template <class...> class Adaptor, class... Args>
[[nodiscard]] constexpr auto
layer(Args&&... args) noexcept(noexcept(detail::recipe<detail::deduced<Adaptor>, false>(std::forward<Args>(args)...))) {
  return detail::recipe<detail::deduced<Adaptor>, false>(std::forward<Args>(args)...);
}

/// The same for an adaptor that has values among its template parameters, here those of its defaults ...
template <template <class, auto, auto...> class Adaptor, class... Args>
[[nodiscard]] constexpr auto layer(Args&&... args) noexcept(
    noexcept(detail::recipe<detail::deduced_with_defaults<Adaptor>, false>(std::forward<Args>(args)...))) {
  return detail::recipe<detail::deduced_with_defaults<Adaptor>, false>(std::forward<Args>(args)...);
}

/// ... and here those given: `layer<adaptor, 16>()`.
template <template <class, auto, auto...> class Adaptor, auto Value, auto... Values, class... Args>
[[nodiscard]] constexpr auto layer(Args&&... args) noexcept(
    noexcept(detail::recipe<detail::with_values<Adaptor, Value, Values...>, false>(std::forward<Args>(args)...))) {
  return detail::recipe<detail::with_values<Adaptor, Value, Values...>, false>(std::forward<Args>(args)...);
}

/// The same for an adaptor whose type is named in full: `layer<limit_adaptor<allot::resource>>(16_KiB)`.
template <class Adaptor, class... Args>
[[nodiscard]] constexpr auto
layer(Args&&... args) noexcept(noexcept(detail::recipe<detail::exactly<Adaptor>, false>(std::forward<Args>(args)...))) {
  return detail::recipe<detail::exactly<Adaptor>, false>(std::forward<Args>(args)...);
}

/// The innermost layer of a `chain`, which the chain owns: `source<bump_resource<64_KiB>>("rx")`.
template <class Resource, class... Args>
[[nodiscard]] constexpr auto source(Args&&... args) noexcept(
    noexcept(detail::recipe<detail::exactly<Resource>, true>(std::forward<Args>(args)...))) {
  return detail::recipe<detail::exactly<Resource>, true>(std::forward<Args>(args)...);
}

/// The same where the type follows from the arguments: `source<fallback_router>(std::ref(first), std::ref(second))`.
template <template <class...> class Resource, class... Args>
[[nodiscard]] constexpr auto source(Args&&... args) noexcept(
    noexcept(detail::recipe<detail::deduced<Resource>, true>(std::forward<Args>(args)...))) {
  return detail::recipe<detail::deduced<Resource>, true>(std::forward<Args>(args)...);
}

/// The innermost layer of a `chain`, where it lives elsewhere and outlives the chain: `over(tenant_budget)`.
template <class Resource>
[[nodiscard]] constexpr auto over(Resource& resource) noexcept {
  return chain_reference<Resource>{resource};
}

} // namespace allot::inline ALLOT_ABI
