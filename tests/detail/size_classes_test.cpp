#include <allot/detail/size_classes.hpp>

#include <doctest/doctest.h>

#include <cstdint>

using namespace allot::detail;

TEST_SUITE("size_classes") {
  TEST_CASE("each size has the smallest class that fits it and its alignment") {
    for (std::size_t alignment = 1; alignment <= largest_class_bytes; alignment *= 2) {
      for (std::size_t bytes = 1; bytes <= largest_class_bytes; bytes += bytes < 2000 ? 1 : 11) {
        const std::size_t key = class_key(bytes, alignment);
        const std::size_t rounded = (bytes + alignment - 1) / alignment * alignment;
        REQUIRE(key + 1 >= rounded);
        if (key >= largest_class_bytes) continue;
        const std::size_t index = class_of(key);
        REQUIRE(index < class_count);
        REQUIRE(class_bytes(index) > key);
        REQUIRE((index == 0 || class_bytes(index - 1) <= key));
      }
    }
  }

  TEST_CASE("a block in an aligned chunk is aligned as each request of its class asks") {
    for (std::size_t alignment = 1; alignment <= largest_class_bytes; alignment *= 2) {
      for (std::size_t bytes = 1; bytes <= largest_class_bytes; bytes += bytes < 2000 ? 1 : 13) {
        const std::size_t key = class_key(bytes, alignment);
        if (key >= largest_class_bytes) continue;
        const std::size_t block = class_bytes(class_of(key));
        REQUIRE(block % alignment == 0);
        REQUIRE(class_alignment(block) >= alignment);
        REQUIRE(block % class_alignment(block) == 0);
      }
    }
  }

  TEST_CASE("a class is above the one before it, and the direct ones are eight bytes apart") {
    for (std::size_t i = 1; i < class_count; ++i)
      REQUIRE(class_bytes(i) > class_bytes(i - 1));
    for (std::size_t key = 0; key < direct_keys; ++key)
      REQUIRE(class_of(key) == key / 8);
    CHECK(class_bytes(class_of(direct_keys)) == 640);
    CHECK(class_bytes(class_count - 1) == largest_class_bytes);
    CHECK(class_of(largest_class_bytes - 1) == class_count - 1);
  }

  TEST_CASE("on average at most 12.5 % of a block is wasted, over requests of 16 to 1,024 bytes") {
    double wasted = 0; // (block - bytes) / block, each size once
    double most = 0;
    int sizes = 0;
    for (std::size_t bytes = 16; bytes <= 1024; ++bytes, ++sizes) {
      const std::size_t block = class_bytes(class_of(class_key(bytes, 1)));
      const double waste = static_cast<double>(block - bytes) / static_cast<double>(block);
      wasted += waste;
      if (bytes > 512) most = waste > most ? waste : most;
    }
    CHECK(wasted / sizes < 0.052);
    CHECK(most < 0.2);
  }

  TEST_CASE("options are obeyed as far as there are classes, and 0 stands for the most") {
    const auto largest = [](std::size_t bytes) { return obeyed({1, bytes}).largest_required_pool_block; };
    CHECK(largest(0) == largest_class_bytes);
    CHECK(largest(SIZE_MAX) == largest_class_bytes);
    CHECK(largest(largest_class_bytes) == largest_class_bytes);
    CHECK(largest(1) == 8);
    CHECK(largest(512) == 512);
    CHECK(largest(513) == 640);
    const auto blocks = [](std::size_t count) { return obeyed({count, 8}).max_blocks_per_chunk; };
    CHECK(blocks(0) == 8192);
    CHECK(blocks(SIZE_MAX) == 8192);
    CHECK(blocks(8192) == 8192);
    CHECK(blocks(8191) == 8191);
    CHECK(blocks(1) == 1);
  }

  TEST_CASE("what no class fits has a key beyond the last one, zero bytes too, and none wraps") {
    for (std::size_t alignment = 1; alignment != 0; alignment *= 2) {
      CHECK(class_key(0, alignment) == SIZE_MAX);
      CHECK(class_key(SIZE_MAX, alignment) >= SIZE_MAX - 1);
      CHECK(class_key(largest_class_bytes + 1, alignment) >= largest_class_bytes);
    }
    CHECK(class_key(1, 2 * largest_class_bytes) >= largest_class_bytes);
  }
}
