//===- AttentionParts.h - What attention is made of -------------*- C++ -*-===//
//
// Heads, what a query may look at, scores and rotated positions, for the
// operators that have them. The products are written as they are recognised.
//
//===----------------------------------------------------------------------===//

#ifndef LIB_IMPORT_ONNX_ATTENTIONPARTS_H
#define LIB_IMPORT_ONNX_ATTENTIONPARTS_H

#include "Composer.h"

namespace qopt::importer {

inline bool isKnown(int64_t dim) { return !mlir::ShapedType::isDynamic(dim); }

inline int64_t sizeOf(mlir::Value x, int64_t axis) {
  return getType(x).getDimSize(axis);
}

/// A type that holds sums of products of `x`.
mlir::Type widerOf(mlir::Value x);

//===----------------------------------------------------------------------===//
// Heads
//===----------------------------------------------------------------------===//

/// [B, S, N * H] to [B, S, N, H].
mlir::Value splitHeads(Composer &c, mlir::Value x, int64_t heads);
/// [B, N, S, H] of what has three axes or four.
mlir::Value toHeads(Composer &c, mlir::Value x, int64_t heads);
/// [B, N, S, H] to [B, S, N * H].
mlir::Value joinHeads(Composer &c, mlir::Value x);

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

/// What a query may look at.
struct Looks {
  /// Booleans that broadcast to [B, N, S, T]; null for everything.
  mlir::Value allowed;
  /// A summand of the scores; null for none.
  mlir::Value bias;
  /// Whether a row may have nothing to look at.
  bool mayBeEmpty = false;

  void allow(Composer &c, mlir::Value more) {
    allowed = allowed ? c.of<AndOp>(allowed, more) : more;
  }
};

/// Attention on heads: queries [B, N, S, H], keys and values [B, K, T, H] where
/// K divides N.
struct HeadAttention {
  mlir::Value q, k, v;
  /// A number; null for 1 / sqrt(H).
  mlir::Value scale;
  Looks looks;
  double softcap = 0;
  /// The type of the softmax; null for that of the scores.
  mlir::Type precision;
  /// A logit [N] of each head that counts in the softmax only; null for none.
  mlir::Value sinks;
  /// Which scores go to `scores`: before the softcap, behind it, behind the
  /// mask, or as shares; negative for none.
  int64_t mode = -1;
  /// [B, N, S, T].
  mlir::Value scores;
};

/// The result [B, N, S, H]; null on failure.
mlir::Value attend(Composer &c, HeadAttention &attention);

/// What positions allow. `first` is that of the first query, as a list of one
/// or [B, 1, 1, 1]; null for 0. Negative windows are open.
void limitPositions(Composer &c, mlir::Value queries, mlir::Value keys,
                    mlir::Value first, bool isCausal, int64_t left,
                    int64_t right, Looks &looks);

//===----------------------------------------------------------------------===//
// Positions that turn
//===----------------------------------------------------------------------===//

/// Rotates the first elements of `x` [B, S, N, H] by angles whose cosines and
/// sines are [B, S, 1, R / 2].
mlir::Value rotate(Composer &c, mlir::Value x, mlir::Value cosines,
                   mlir::Value sines, int64_t rotated, bool isInterleaved);
/// Rows of a cache [max, R / 2] at positions [B, S], or a cache that has one
/// row for each already, as [B, S, 1, R / 2].
mlir::Value pickAngles(Composer &c, mlir::Value cache, mlir::Value positions);
/// RotaryEmbedding.
mlir::LogicalResult rotateInput(NodeImporter &node, mlir::Value cosines,
                                mlir::Value sines, mlir::Value positions);

} // namespace qopt::importer

#endif // LIB_IMPORT_ONNX_ATTENTIONPARTS_H
