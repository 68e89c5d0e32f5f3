//===- ContractSchedule.h - The loops around tiles --------------*- C++ -*-===//
//
// One schedule serves matrix products and convolutions, of floats and of
// codes. What differs is where the operands lie: a ContractSource says so.
//
// A part is some vectors of lanes by a block of rows of one batch entry. Lanes
// that are not packed yet are packed by the part that uses them.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_TARGET_CPU_CONTRACTSCHEDULE_H
#define QOPT_LIB_TARGET_CPU_CONTRACTSCHEDULE_H

#include "CaptureList.h"
#include "ContractTile.h"
#include "Epilogue.h"

namespace qopt::cpu {

/// Which outputs: 16 of them along the lanes.
struct OutputVector {
  mlir::Value batch, row, vector;
};

/// What the word of a scale is.
enum class ScaleWord {
  /// The f32 factor.
  Factor,
  /// The i32 exponent of a power of two.
  Exponent,
  /// The exponent as f32, where the machine scales by such.
  FloatExponent,
  /// The power of two as f32, for sums of integers.
  Power
};

/// A block that no k ends: all steps are one group.
inline constexpr int64_t kOneBlock = int64_t(1) << 40;

/// How k falls into groups with scales: `positions` times `channels` elements,
/// cut every `block` channels and at each position.
struct GroupShape {
  /// 0 where the product has no groups.
  int64_t block = 0;
  int64_t positions = 1;
  mlir::Value channels;
  /// Elements of k that a step multiplies.
  int64_t elementsInStep = 1;
  /// Steps of a position: what `channels` needs, or more.
  mlir::Value positionSteps;
  ScaleWord scaleWord = ScaleWord::Factor;
  /// Of codes that are multiplied as signed bytes.
  int64_t largestSigned = 128;
  /// Operands are multiplied by this power of two.
  int multiplierLog2 = 0;

  mlir::Value blocks(VectorBuilder &v) const {
    return v.ceilDiv(channels, v.i64(block));
  }
  mlir::Value count(VectorBuilder &v) const {
    return v.mul(blocks(v), v.i64(positions));
  }
};

/// The operands of a product as the schedule sees them.
class ContractSource {
public:
  virtual ~ContractSource() = default;

  struct Rows {
    mlir::Value pointer, rowStride, rowStep;
    /// Words: scales of the groups, one after the other; null for none.
    mlir::Value scales = {}, scaleStride = {};
    /// i32, where scales are: what the integer sums of groups start from; null
    /// for 0.
    mlir::Value starts = {};
  };
  /// Steps that lanes are unpacked for at once.
  static constexpr int64_t kUnpackedSteps = 4;
  struct Lanes {
    mlir::Value pointer, vectorStride, laneStep;
    /// Sums of codes, 16 a vector; null where not asked for.
    mlir::Value sums;
    /// Words: scales, 16 a vector, `scaleStep` from group to group; null for
    /// none.
    mlir::Value scales = {}, scaleStep = {};
    /// i32, where scales are: as those of the rows.
    mlir::Value starts = {};
    /// In place of words in memory (and of starts): those of a vector for
    /// kUnpackedSteps steps from `step`, a multiple of their number, on.
    std::function<llvm::SmallVector<mlir::Value>(
        VectorBuilder &, mlir::Value step, int64_t vector)>
        unpack = {};
    /// The same of f32: words of codes, the codes of a step of them as f32, and
    /// the zeros of a group (null for none).
    struct Decoder {
      int64_t stepsInWord = 0;
      std::function<mlir::Value(VectorBuilder &, mlir::Value step,
                                int64_t vector)>
          load;
      std::function<mlir::Value(VectorBuilder &, mlir::Value words,
                                mlir::Value index, mlir::Value zero)>
          decode;
      std::function<mlir::Value(VectorBuilder &, mlir::Value group,
                                int64_t vector)>
          zero;
    };
    std::optional<Decoder> decoder = {};
    /// Where `unpack` or `decoder` serve only some calls: true in such a one.
    /// In the others there are words in memory.
    mlir::Value isFew = {};
  };

  DotKind kind = DotKind::Float;
  TileSize tile;
  GroupShape groups;
  /// Sums of groups are f32 whatever their elements are.
  bool sumsAreFloats() const { return kind == DotKind::Float || groups.block; }
  /// Extents. On the host until `enter`.
  mlir::Value batches, rows, vectors, steps;

  /// Host: everything that the functions below use.
  virtual void capture(CaptureList &captures) = 0;
  /// Words of scratch memory for the lanes of a tile; null for none.
  virtual mlir::Value laneWords(VectorBuilder &v, int64_t numVectors) = 0;

  /// Kernel: makes `count` vectors from `vector` on ready to be read.
  virtual Lanes lanes(VectorBuilder &v, mlir::Value batch, mlir::Value vector,
                      mlir::Value count, mlir::Value scratch) = 0;
  /// The operand of the rows from `row` on.
  virtual Rows rowsFrom(VectorBuilder &v, mlir::Value batch,
                        mlir::Value row) = 0;
  /// Where an output vector stands in the root's result.
  virtual Epilogue::Lanes coordinates(VectorBuilder &v,
                                      const OutputVector &at) = 0;
  /// The root's value from the sums of a tile. `laneSums` (16) may be null.
  virtual mlir::Value finish(VectorBuilder &v, mlir::Value sums,
                             const OutputVector &at, mlir::Value laneSums) = 0;
};

/// Launches the product and the rest of the kernel's body.
mlir::LogicalResult emitSchedule(CpuProgram &program, llvm::StringRef name,
                                 ContractSource &source, Epilogue &epilogue);

} // namespace qopt::cpu

#endif
