#pragma once

#include <allot/core/config.hpp>
#include <allot/report/figures.hpp>

#include <cstddef>

namespace allot::inline ALLOT_ABI::report {

/// Which branch of which router a layer lies in, as a list from the innermost router outwards: each element lives in the
/// walk, as long as the visitor is called.
struct branch_path {
  const branch_path* outer = nullptr; ///< the router around this one, or null
  std::size_t index = 0;              ///< of the branch, from 0
  const char* role = "";              ///< "primary", "secondary", "otherwise", or empty
  std::size_t up_to_bytes = no_limit; ///< the greatest request that the router sends to it
};

/// What comes below a layer.
enum class below : unsigned char {
  nothing,  ///< it is a source, or what is below cannot be seen
  upstream, ///< one layer
  branches, ///< several: it is a router
};

/// What a report knows of one layer, or of a snapshot alone.
struct layer_record {
  const char* class_name = nullptr;    ///< null for a snapshot; "memory_resource" where the type is not known
  const char* name = nullptr;          ///< the name that the user gave, or null
  std::size_t depth = 0;               ///< 0 for the outermost layer
  const branch_path* branch = nullptr; ///< null where no router is above
  bool starts_branch = false;          ///< it is the first of its branch, below the router itself
  bool is_opaque = false;              ///< the type is not known, and so are the figures and what is below
  std::size_t tags = 0;                ///< rows of its tag table
  below then = below::nothing;         ///< what comes below it
  figures values{};                    ///< those that it has
};

/// One row of a tag table.
struct tag_record {
  const char* tag = ""; ///< its name
  std::size_t row = 0;  ///< from 0
  figures values{};     ///< those that a tag has
};

/// Is shown a stack of layers: `enter`, its tags, what is below it, `leave`, from the outermost one inwards.
class layer_visitor {
public:
  virtual void enter(const layer_record& layer) noexcept = 0; ///< what follows is of this layer or below it
  virtual void tag(const layer_record& layer, const tag_record& row) noexcept = 0; ///< a row of the layer's tag table
  virtual void leave(const layer_record& layer) noexcept = 0;                      ///< all below it was shown

protected:
  layer_visitor() = default;
  layer_visitor(const layer_visitor&) = default;
  layer_visitor& operator=(const layer_visitor&) = default;
  ~layer_visitor() = default;
};

} // namespace allot::inline ALLOT_ABI::report
