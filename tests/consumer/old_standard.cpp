// Built as C++17: one error must say what is wanted.
#include <allot/allot.hpp>

int main() {}
