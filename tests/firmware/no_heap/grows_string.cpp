#include <string>

volatile unsigned length = 100;

int main() { return std::string(length, 'x').back() == 'x' ? 0 : 1; }
