//===- limits.cpp - What this machine can do at most ----------------------===//
//
// Rates that no kernel passes: multiply-accumulates of a unit whose operands
// come from L1, and bytes read from a buffer of some size. Zeros would run
// faster than data, so no operand is zero. Built with -march=native; a unit
// that the machine lacks has the rate 0.
//
//===----------------------------------------------------------------------===//

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <immintrin.h>
#include <memory>
#include <pthread.h>
#include <sched.h>
#include <thread>
#include <vector>

namespace {
#ifdef __AVX512VNNI__
struct Vnni {
  using Vector = __m512i;
  static constexpr int rows = 6, columns = 4, products = 64;
  static Vector load(const int32_t *p) { return _mm512_loadu_si512(p); }
  static Vector word(const int32_t *p) { return _mm512_set1_epi32(*p); }
  static Vector step(Vector c, Vector a, Vector b) {
    return _mm512_dpbusd_epi32(c, a, b);
  }
};
#endif
#ifdef __AVX512F__
struct Fma512 {
  using Vector = __m512;
  static constexpr int rows = 6, columns = 4, products = 16;
  static Vector load(const int32_t *p) { return _mm512_loadu_ps(p); }
  static Vector word(const int32_t *p) {
    return _mm512_castsi512_ps(_mm512_set1_epi32(*p));
  }
  static Vector step(Vector c, Vector a, Vector b) {
    return _mm512_fmadd_ps(a, b, c);
  }
};
#endif
#ifdef __AVX2__
struct Fma256 {
  using Vector = __m256;
  static constexpr int rows = 3, columns = 4, products = 8;
  static Vector load(const int32_t *p) {
    return _mm256_castsi256_ps(_mm256_loadu_si256((const __m256i *)p));
  }
  static Vector word(const int32_t *p) {
    return _mm256_castsi256_ps(_mm256_set1_epi32(*p));
  }
  static Vector step(Vector c, Vector a, Vector b) {
    return _mm256_fmadd_ps(a, b, c);
  }
};

/// Pairs of 16 bits: what adds products of all 8-bit codes without saturating.
struct Pairs256 {
  using Vector = __m256i;
  static constexpr int rows = 3, columns = 4, products = 16;
  static Vector load(const int32_t *p) {
    return _mm256_loadu_si256((const __m256i *)p);
  }
  static Vector word(const int32_t *p) { return _mm256_set1_epi32(*p); }
  static Vector step(Vector c, Vector a, Vector b) {
    return _mm256_add_epi32(c, _mm256_madd_epi16(a, b));
  }
};
#endif

using Clock = std::chrono::steady_clock;
constexpr int depth = 64;

double secondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// 24 or 12 sums in registers, all of K from L1, as the kernels hold them.
template <typename Unit>
__attribute__((noinline)) void runTile(const int32_t *a, const int32_t *b,
                                       int32_t *out) {
  using Vector = typename Unit::Vector;
  constexpr int words = sizeof(Vector) / 4;
  Vector sums[Unit::rows][Unit::columns];
  std::memset(sums, 0, sizeof(sums));
  for (int k = 0; k < depth; ++k) {
#pragma GCC unroll 8
    for (int i = 0; i < Unit::rows; ++i) {
      Vector row = Unit::word(a + k * Unit::rows + i);
      // Else each step would broadcast it again, from memory.
      asm("" : "+v"(row));
#pragma GCC unroll 8
      for (int j = 0; j < Unit::columns; ++j)
        sums[i][j] = Unit::step(
            sums[i][j], row, Unit::load(b + (k * Unit::columns + j) * words));
    }
  }
  std::memcpy(out, sums, sizeof(sums));
}

/// Products a second: the fastest of the slices that fit into `seconds`.
template <typename Unit> double timeUnit(double seconds) {
  constexpr int words = sizeof(typename Unit::Vector) / 4;
  constexpr int calls = 200;
  // 1.5 and alike as floats, codes that are not zero as bytes.
  std::vector<int32_t> a(depth * Unit::rows), b(depth * Unit::columns * words);
  std::vector<int32_t> out(Unit::rows * Unit::columns * words);
  for (std::vector<int32_t> *values : {&a, &b})
    for (size_t i = 0; i < values->size(); ++i)
      (*values)[i] = 0x3f810101 + static_cast<int32_t>(i * 2654435761u >> 12);
  double best = 0;
  auto start = Clock::now();
  while (secondsSince(start) < seconds) {
    auto slice = Clock::now();
    for (int i = 0; i < calls; ++i)
      runTile<Unit>(a.data(), b.data(), out.data());
    double products =
        double(calls) * depth * Unit::rows * Unit::columns * Unit::products;
    best = std::max(best, products / secondsSince(slice));
  }
  return best;
}

double timeNamed(const char *unit, double seconds) {
#ifdef __AVX512VNNI__
  if (!std::strcmp(unit, "vnni"))
    return timeUnit<Vnni>(seconds);
#endif
#ifdef __AVX512F__
  if (!std::strcmp(unit, "fma512"))
    return timeUnit<Fma512>(seconds);
#endif
#ifdef __AVX2__
  if (!std::strcmp(unit, "fma256"))
    return timeUnit<Fma256>(seconds);
  if (!std::strcmp(unit, "pairs256"))
    return timeUnit<Pairs256>(seconds);
#endif
  return 0;
}

using Line = uint64_t __attribute__((vector_size(64)));

Line readAll(const Line *lines, size_t count) {
  Line sums[8] = {};
  for (size_t i = 0; i + 8 <= count; i += 8)
#pragma GCC unroll 8
    for (size_t j = 0; j < 8; ++j)
      sums[j] ^= lines[i + j];
  for (const Line &sum : sums)
    sums[0] ^= sum;
  return sums[0];
}

/// Bytes a second: the fastest of the slices that fit into `seconds`.
double timeReading(size_t bytes, double seconds) {
  size_t count = std::max<size_t>(bytes / sizeof(Line), 8);
  std::unique_ptr<Line[]> lines(new Line[count]);
  std::memset(lines.get(), 0x5a, count * sizeof(Line));
  size_t passes = std::max<size_t>(1, (1 << 20) / bytes);
  Line sink = readAll(lines.get(), count);
  double best = 0;
  auto start = Clock::now();
  do {
    auto slice = Clock::now();
    for (size_t i = 0; i < passes; ++i) {
      sink ^= readAll(lines.get(), count);
      asm volatile("" : "+v"(sink) : : "memory");
    }
    best = std::max(best, double(passes) * bytes / secondsSince(slice));
  } while (secondsSince(start) < seconds);
  return best;
}

/// The sum of what `measure` gives on `count` threads at once, each on a CPU.
template <typename Measure> double onThreads(int count, Measure measure) {
  cpu_set_t allowed;
  pthread_getaffinity_np(pthread_self(), sizeof(allowed), &allowed);
  std::vector<int> cpus;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
    if (CPU_ISSET(cpu, &allowed))
      cpus.push_back(cpu);
  std::vector<double> rates(count);
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i)
    threads.emplace_back([&, i] {
      cpu_set_t one;
      CPU_ZERO(&one);
      CPU_SET(cpus[i % cpus.size()], &one);
      pthread_setaffinity_np(pthread_self(), sizeof(one), &one);
      rates[i] = measure();
    });
  double total = 0;
  for (int i = 0; i < count; ++i) {
    threads[i].join();
    total += rates[i];
  }
  return total;
}
} // namespace

extern "C" {
/// Multiply-accumulates a second of `unit` on all threads.
double macRate(const char *unit, int threads, double seconds) {
  return onThreads(threads, [&] { return timeNamed(unit, seconds); });
}

/// Bytes a second that all threads read when they share `bytes`.
double readRate(size_t bytes, int threads, double seconds) {
  return onThreads(threads,
                   [&] { return timeReading(bytes / threads, seconds); });
}
}
