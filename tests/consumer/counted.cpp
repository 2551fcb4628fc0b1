// Linked with allot_global_counter, and calls for nothing else that would bring it in.
#include <allot/global/counter.hpp>

int main() { return allot::global::is_counting() ? 0 : 1; }
