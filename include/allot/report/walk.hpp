#pragma once

#include <allot/core/config.hpp>
#include <allot/core/resource.hpp>
#include <allot/report/layer_record.hpp>
#include <allot/report/read_figures.hpp>

#include <concepts>
#include <cstddef>
#include <memory_resource>
#include <type_traits>
#include <utility>

namespace allot::inline ALLOT_ABI::report {

/// Any resource, seen through its own type or not.
template <class T>
concept layer_type = std::derived_from<T, std::pmr::memory_resource>;

/// A tag table: a range of snapshots that have a tag.
template <class T>
concept tag_table_type = requires(const T& table) {
  { (*table.begin()).tag } -> std::convertible_to<const char*>;
  { table.size() } -> std::convertible_to<std::size_t>;
  table.end();
};

namespace detail {

/// A type that says nothing of what it is: `std::pmr::memory_resource`, `allot::resource`, or a class that is not allot's.
template <class Layer>
concept opaque = !requires {
  { Layer::class_name } -> std::convertible_to<const char*>;
};

/// Owns its layers, and is none itself.
template <class T>
concept owns_layers = requires(const T& owner) {
  owner.template layer<0>();
  { T::depth } -> std::convertible_to<std::size_t>;
};

template <class T>
concept has_branches = !opaque<T> && requires(const T& router) {
  { T::branch_count } -> std::convertible_to<std::size_t>;
  router.template branch<0>();
};

template <class T>
concept has_upstream = !opaque<T> && requires(const T& layer) {
  requires layer_type<std::remove_cvref_t<decltype(*layer.upstream_resource())>>;
};

template <class Layer>
[[nodiscard]] below below_of([[maybe_unused]] const Layer& layer) noexcept {
  if constexpr (has_branches<Layer>) {
    return below::branches;
  } else if constexpr (has_upstream<Layer>) {
    return layer.upstream_resource() == nullptr ? below::nothing : below::upstream;
  } else {
    return below::nothing;
  }
}

/// Where a layer stands in what is shown.
struct place {
  std::size_t depth = 0;
  const branch_path* branch = nullptr;
  bool starts_branch = false;
};

template <class Layer>
[[nodiscard]] layer_record record_of(const Layer& layer, const place& at) noexcept {
  layer_record record{.class_name = "memory_resource",
                      .depth = at.depth,
                      .branch = at.branch,
                      .starts_branch = at.starts_branch,
                      .is_opaque = opaque<Layer>,
                      .then = below_of(layer)};
  if constexpr (requires {
                  { layer.name() } -> std::convertible_to<const char*>;
                })
    record.name = layer.name();
  if constexpr (!opaque<Layer>) {
    record.class_name = Layer::class_name;
    record.values = read_layer(layer);
  }
  return record;
}

/// Shows the rows of a table. \pre `layer.tags` is its size
template <tag_table_type Table>
void show_tags(const Table& table, const layer_record& layer, layer_visitor& visitor) noexcept {
  std::size_t number = 0;
  for (const auto& row : table)
    visitor.tag(layer, {.tag = row.tag, .row = number++, .values = read_snapshot(row)});
}

/// Shows a layer and all that is below it.
template <class Layer>
void show(const Layer& layer, const place& at, layer_visitor& visitor) noexcept;

/// What a router says of its branch `I`.
template <std::size_t I, class Router>
[[nodiscard]] branch_path path_to(const Router& router) noexcept {
  branch_path path{.index = I};
  if constexpr (requires { router.primary(); }) path.role = I == 0 ? "primary" : "secondary";
  if constexpr (requires {
                  { router.template limit<I>() } -> size_figure;
                }) {
    path.up_to_bytes = router.template limit<I>();
    if (path.up_to_bytes == no_limit) path.role = "otherwise";
  }
  return path;
}

template <class Router, std::size_t... I>
void show_branches(const Router& router, const layer_record& record, layer_visitor& visitor,
                   std::index_sequence<I...>) noexcept {
  const auto show_one = [&](const auto& branch, branch_path path) {
    path.outer = record.branch;
    show(branch, {.depth = record.depth + 1, .branch = &path, .starts_branch = true}, visitor);
  };
  (show_one(router.template branch<I>(), path_to<I>(router)), ...);
}

template <class Layer>
void show_below([[maybe_unused]] const Layer& layer, [[maybe_unused]] const layer_record& record,
                [[maybe_unused]] layer_visitor& visitor) noexcept {
  if constexpr (has_branches<Layer>) {
    show_branches(layer, record, visitor, std::make_index_sequence<Layer::branch_count>{});
  } else if constexpr (has_upstream<Layer>) {
    if (record.then == below::upstream)
      show(*layer.upstream_resource(), {.depth = record.depth + 1, .branch = record.branch}, visitor);
  }
}

template <class Layer>
void show(const Layer& layer, const place& at, layer_visitor& visitor) noexcept {
  if constexpr (owns_layers<Layer>) {
    show(layer.template layer<0>(), at, visitor);
  } else {
    layer_record record = record_of(layer, at);
    if constexpr (requires {
                    { layer.tags() } -> tag_table_type;
                  }) {
      const auto tags = layer.tags();
      record.tags = tags.size();
      visitor.enter(record);
      show_tags(tags, record, visitor);
    } else {
      visitor.enter(record);
    }
    show_below(layer, record, visitor);
    visitor.leave(record);
  }
}

} // namespace detail

/// What can be reported: a resource, a snapshot, a tag table.
template <class T>
concept reportable = layer_type<T> || snapshot_type<T> || tag_table_type<T>;

/// Shows a stack of layers to `visitor`, from `layer` inwards: along `upstream_resource()`, through the layers of a chain
/// and into each branch of a router, as far as the types say what they are. A `std::pmr::memory_resource`, an
/// `allot::resource` or another class without a `class_name` is the end, and shown as opaque.
///
/// Each layer's figures are read as it is shown: while other threads allocate, those of two layers are of two moments.
template <layer_type Layer>
void walk(const Layer& layer, layer_visitor& visitor) noexcept {
  detail::show(layer, {}, visitor);
}

/// Shows a snapshot as a layer without a class.
template <snapshot_type Snapshot>
void walk(const Snapshot& snapshot, layer_visitor& visitor) noexcept {
  const layer_record record{.values = read_snapshot(snapshot)};
  visitor.enter(record);
  visitor.leave(record);
}

/// Shows a tag table as one of a layer without a class and without figures.
template <tag_table_type Table>
void walk(const Table& table, layer_visitor& visitor) noexcept {
  const layer_record record{.tags = table.size()};
  visitor.enter(record);
  detail::show_tags(table, record, visitor);
  visitor.leave(record);
}

} // namespace allot::inline ALLOT_ABI::report
