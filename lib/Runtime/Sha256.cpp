//===- Sha256.cpp - SHA-256 without a library -------------------*- C++ -*-===//
//
// FIPS 180-4, section 6.2, word for word.
//
//===----------------------------------------------------------------------===//

#include "Sha256.h"

#include <string.h>

static const uint32_t kRoundConstants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1,
    0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
    0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
    0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
    0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
    0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
    0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
    0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
    0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint32_t rotateRight(uint32_t value, int count) {
  return value >> count | value << (32 - count);
}

static uint32_t readBigEndian(const unsigned char *bytes) {
  uint32_t value;
  memcpy(&value, bytes, 4);
  return __builtin_bswap32(value);
}

static void addBlock(uint32_t hash[8], const unsigned char *block) {
  uint32_t w[64];
  for (int t = 0; t < 16; ++t)
    w[t] = readBigEndian(block + 4 * t);
  for (int t = 16; t < 64; ++t) {
    uint32_t s0 =
        rotateRight(w[t - 15], 7) ^ rotateRight(w[t - 15], 18) ^ w[t - 15] >> 3;
    uint32_t s1 =
        rotateRight(w[t - 2], 17) ^ rotateRight(w[t - 2], 19) ^ w[t - 2] >> 10;
    w[t] = s1 + w[t - 7] + s0 + w[t - 16];
  }
  uint32_t v[8];
  memcpy(v, hash, sizeof(v));
  for (int t = 0; t < 64; ++t) {
    uint32_t s1 =
        rotateRight(v[4], 6) ^ rotateRight(v[4], 11) ^ rotateRight(v[4], 25);
    uint32_t choice = (v[4] & v[5]) ^ (~v[4] & v[6]);
    uint32_t t1 = v[7] + s1 + choice + kRoundConstants[t] + w[t];
    uint32_t s0 =
        rotateRight(v[0], 2) ^ rotateRight(v[0], 13) ^ rotateRight(v[0], 22);
    uint32_t majority = (v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]);
    memmove(v + 1, v, 7 * sizeof(uint32_t));
    v[4] += t1;
    v[0] = t1 + s0 + majority;
  }
  for (int i = 0; i < 8; ++i)
    hash[i] += v[i];
}

void qopt::runtime::computeSha256(const unsigned char *bytes, uint64_t size,
                                  unsigned char digest[32]) {
  uint32_t hash[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  uint64_t wholeSize = size / 64 * 64;
  for (uint64_t offset = 0; offset < wholeSize; offset += 64)
    addBlock(hash, bytes + offset);

  // The rest, a one bit, zeros and the length in bits end the message.
  unsigned char last[128] = {};
  uint64_t restSize = size - wholeSize;
  if (restSize != 0)
    memcpy(last, bytes + wholeSize, restSize);
  last[restSize] = 0x80;
  uint64_t lastSize = restSize < 56 ? 64 : 128;
  uint64_t bits = __builtin_bswap64(size * 8);
  memcpy(last + lastSize - 8, &bits, 8);
  for (uint64_t offset = 0; offset < lastSize; offset += 64)
    addBlock(hash, last + offset);

  for (int i = 0; i < 8; ++i) {
    uint32_t word = __builtin_bswap32(hash[i]);
    memcpy(digest + 4 * i, &word, 4);
  }
}
