//===- ArenaTest.cpp - The memory of one context ----------------*- C++ -*-===//
//
// Blocks are aligned, have slack and do not overlap; memory is used again,
// also for other sizes, and goes back to the system only at the end.
//
//===----------------------------------------------------------------------===//

#include "lib/Runtime/Arena.h"
#include "gtest/gtest.h"
#include <cstring>
#include <map>
#include <random>

using namespace qopt::runtime;

TEST(Arena, BlocksAreAlignedAndHaveSlack) {
  Arena arena;
  for (int64_t size : {0, 1, 63, 64, 65, 1000000}) {
    char *data = static_cast<char *>(arena.allocate(size));
    ASSERT_NE(data, nullptr);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(data) % 64, 0u);
    std::memset(data, 0xff, size + 64);
  }
  arena.release();
}

TEST(Arena, RandomUseNeverOverlapsAndMergesAgain) {
  Arena arena;
  std::mt19937 random(1);
  std::map<char *, std::pair<size_t, char>> blocks;
  for (int step = 0; step < 4000; ++step) {
    if (blocks.size() > 40 || (random() % 2 && !blocks.empty())) {
      auto it = std::next(blocks.begin(), random() % blocks.size());
      for (size_t i = 0; i < it->second.first; ++i)
        ASSERT_EQ(it->first[i], it->second.second);
      arena.free(it->first);
      blocks.erase(it);
    } else {
      size_t size = random() % 20000;
      char *data = static_cast<char *>(arena.allocate(size));
      ASSERT_NE(data, nullptr);
      char mark = random();
      std::memset(data, mark, size);
      blocks[data] = {size, mark};
    }
  }
  for (auto &[data, block] : blocks)
    arena.free(data);
  // One mapping holds all, and its free blocks have merged into one.
  uint64_t mapped = arena.getMappedSize();
  EXPECT_EQ(mapped, 4u << 20);
  void *all = arena.allocate((4 << 20) - 4096);
  EXPECT_NE(all, nullptr);
  EXPECT_EQ(arena.getMappedSize(), mapped);
  arena.release();
  EXPECT_EQ(arena.getMappedSize(), 0u);
}

TEST(Arena, ASecondRunMapsNothing) {
  Arena arena;
  auto run = [&] {
    arena.reset();
    void *a = arena.allocate(3 << 20);
    void *b = arena.allocate(5 << 20);
    arena.free(a);
    // b is left, as by a run that failed.
    return b != nullptr;
  };
  ASSERT_TRUE(run());
  ASSERT_TRUE(run());
  uint64_t mapped = arena.getMappedSize();
  for (int repetition = 0; repetition < 5; ++repetition)
    ASSERT_TRUE(run());
  EXPECT_EQ(arena.getMappedSize(), mapped);
  arena.release();
}

TEST(Arena, ImpossibleSizesGiveNull) {
  Arena arena;
  EXPECT_EQ(arena.allocate(-1), nullptr);
  EXPECT_EQ(arena.allocate(INT64_MAX), nullptr);
  EXPECT_EQ(arena.allocate(INT64_MAX / 2), nullptr);
  arena.free(nullptr);
  EXPECT_NE(arena.allocate(1), nullptr);
  arena.release();
}
