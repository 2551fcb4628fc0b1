// A program that needs each listed file of the library: plain_build_test.py builds it without Meson.

#include <allot/adaptor/counting_adaptor.hpp>
#include <allot/adaptor/limit_adaptor.hpp>
#include <allot/adaptor/tag_adaptor.hpp>
#include <allot/arena/monotonic_resource.hpp>
#include <allot/arena/static_arena.hpp>
#include <allot/core/once.hpp>
#include <allot/pool/block_pool_resource.hpp>
#include <allot/pool/pool_resource.hpp>
#include <allot/report/exposition.hpp>
#include <allot/report/json.hpp>
#include <allot/report/text.hpp>

#include <board/board.hpp>

#include <cstddef>

constinit allot::static_arena<6 * 1024> static_memory;
constinit allot::once<int> rate;

namespace {

char text[700];

void on_failure(const allot::failure& what) noexcept {
  allot::describe(what, text);
  board::write(text);
  board::exit(1);
}

template <class Resource>
void use(Resource& resource) {
  void* const blocks[] = {resource.allocate(24, 8), resource.allocate(40, 4), resource.allocate(2000, 8)};
  resource.deallocate(blocks[1], 40, 4);
  resource.deallocate(blocks[0], 24, 8);
  resource.deallocate(blocks[2], 2000, 8);
}

} // namespace

int main() {
  allot::set_failure_handler(on_failure);
  auto& arena = static_memory.claim("arena");
  allot::limit_adaptor capped{arena, 6000, "all"};
  allot::block_pool_resource<64, 8, decltype(capped)> nodes{capped};
  allot::monotonic_resource drop_in{256, capped};
  {
    allot::pool_resource pool{capped};
    use(pool);
  }
  use(drop_in);
  {
    allot::bump_resource<64> own;
    allot::tag_adaptor tagged{own, allot::max_tags<2>}; // each tag takes room in it
    const allot::tag_scope here{"blocks"};
    tagged.deallocate(tagged.allocate(8, 8), 8, 8);
  }
  nodes.deallocate(nodes.allocate(64, 8), 64, 8);

  const allot::report::source sources[] = {allot::report::source{capped}};
  const bool is_text = allot::report::text(sources, text).needed < sizeof text;
  board::write(text);
  const bool is_json = allot::report::json(sources[0], text).needed < sizeof text && text[0] == '{';
  allot::report::exposition page{text, allot::report::metrics_format::open_metrics};
  page.layers(sources);
  const bool is_page = page.finish().needed > 0 && text[0] == '#';
  return is_text && is_json && is_page && rate.call_once([] { return 3; }) == 3 ? 0 : 2;
}
