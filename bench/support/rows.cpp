#include "rows.hpp"

#include <algorithm>
#include <cstring>

namespace bench {

namespace {

std::vector<const group*>& linked_in() {
  static std::vector<const group*> all;
  return all;
}

} // namespace

group::group(const char* its_name, adder its_adder) : name{its_name}, add{its_adder} { linked_in().push_back(this); }

std::vector<row> all_rows() {
  auto groups = linked_in();
  std::sort(groups.begin(), groups.end(),
            [](const group* a, const group* b) { return std::strcmp(a->name, b->name) < 0; });
  std::vector<row> rows;
  for (const group* one : groups)
    one->add(rows);
  return rows;
}

footprint weigh(const peer& who, setting s, const std::function<void(subject&, std::pmr::memory_resource&)>& work) {
  counted_hop upstream{*s.upstream};
  s.upstream = &upstream;
  footprint took;
  took.base_resident = resident_bytes();
  forget_peak();
  {
    const auto subject = who.make(s);
    counted_hop requests{subject->resource(), counted_hop::blocks::written};
    work(*subject, requests);
    took.requested = requests.bytes().peak();
  }
  took.peak_resident = peak_resident_bytes();
  took.reserved = upstream.bytes().peak();
  took.reserved_is_known = who.asks_upstream;
  return took;
}

} // namespace bench
