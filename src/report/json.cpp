#include <allot/report/escape.hpp>
#include <allot/report/json.hpp>
#include <allot/report/line_writer.hpp>

#include <cstddef>

namespace allot::inline ALLOT_ABI::report {
namespace {

/// Writes the layers of one source, one in a line; what closes an object stands at the end of the last line in it.
class json_layers final : public layer_visitor {
public:
  /// \param indent  of the outermost layer
  json_layers(line_writer& out, const label_set& labels, std::size_t indent) noexcept
      : out_{out}, labels_{labels}, indent_{indent} {}

  void enter(const layer_record& layer) noexcept override {
    if (layer.starts_branch && layer.branch->index > 0) end_item();
    begin_object(layer.depth);
    if (layer.depth == 0) put_labels();
    if (layer.class_name != nullptr) put_identity(layer);
    put_figures(layer.values);
    if (layer.tags > 0) open("tags", " [");
    if (layer.tags == 0) open_below(layer);
  }

  void tag(const layer_record& layer, const tag_record& row) noexcept override {
    begin_object(layer.depth + 1);
    key("tag");
    put_quoted(out_, row.tag);
    put_figures(row.values);
    out_.put("}");
    if (row.row + 1 < layer.tags) return end_item();
    out_.put("]");
    is_first_ = false;
    open_below(layer);
  }

  void leave(const layer_record& layer) noexcept override {
    if (layer.then == below::branches) out_.put("]");
    out_.put("}");
  }

private:
  void begin_object(std::size_t depth) noexcept {
    out_.fill(indent_ + 2 * depth).put("{");
    is_first_ = true;
  }

  void end_item() noexcept { out_.put(",").end_line(); }

  line_writer& key(const char* name, const char* space = " ") noexcept {
    if (!is_first_) out_.put(", ");
    is_first_ = false;
    return out_.put("\"").put(name).put("\":").put(space);
  }

  /// A member whose value starts in the next line.
  void open(const char* name, const char* bracket) noexcept { key(name, bracket).end_line(); }

  void open_below(const layer_record& layer) noexcept {
    if (layer.then == below::upstream) open("upstream", "");
    if (layer.then == below::branches) open("branches", " [");
  }

  void put_labels() noexcept {
    if (labels_.empty()) return;
    key("labels").put("{");
    const char* comma = "";
    for (const label& one : labels_) {
      out_.put(comma);
      put_quoted(out_, one.name).put(": ");
      put_quoted(out_, one.value);
      comma = ", ";
    }
    out_.put("}");
  }

  void put_identity(const layer_record& layer) noexcept {
    if (layer.starts_branch) put_branch(*layer.branch);
    put_quoted(key("class"), layer.class_name);
    key("name");
    if (layer.name != nullptr) {
      put_quoted(out_, layer.name);
    } else {
      out_.put("null");
    }
    if (layer.is_opaque) key("opaque").put("true");
  }

  void put_branch(const branch_path& branch) noexcept {
    if (*branch.role != '\0') put_quoted(key("role"), branch.role);
    if (branch.up_to_bytes != no_limit) key("up_to_bytes").number(branch.up_to_bytes);
  }

  void put_figures(const figures& values) noexcept {
    for (const figure_words& words : all_figures()) {
      if (!values.has(words.which)) continue;
      key(words.key);
      if (values.is_unlimited(words.which)) {
        out_.put("null");
      } else {
        out_.number(values[words.which]);
      }
    }
  }

  line_writer& out_;
  const label_set& labels_;
  std::size_t indent_;
  bool is_first_ = true; // no member of the object begun is written yet
};

} // namespace

result json(const source& one, std::span<char> out) noexcept {
  line_writer lines{out};
  json_layers layers{lines, one.labels(), 0};
  one.show_to(layers);
  lines.end_line();
  return lines.written();
}

result json(std::span<const source> sources, std::span<char> out) noexcept {
  line_writer lines{out};
  lines.put("[");
  const char* comma = "";
  for (const source& one : sources) {
    lines.put(comma).end_line();
    json_layers layers{lines, one.labels(), 2};
    one.show_to(layers);
    comma = ",";
  }
  lines.put("]").end_line();
  return lines.written();
}

} // namespace allot::inline ALLOT_ABI::report
