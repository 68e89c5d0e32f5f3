//===- ElementwiseLoop.cpp - A pass over all elements of a space ----------===//
//
// The innermost group of axes is walked in vectors; it and the rows above it
// are cut into parts of about as many elements.
//
//===----------------------------------------------------------------------===//

#include "ElementwiseLoop.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::cpu;

/// Elements of a part; a multiple of the lanes.
static constexpr int64_t kPartElements = 16384;

LogicalResult cpu::emitElementwiseLoop(HostProgram &program, StringRef name,
                                       Epilogue &epilogue,
                                       ArrayRef<Value> extras, RootLanes root) {
  epilogue.collapseAll();
  SmallVector<Value> captures;
  epilogue.capture(captures);
  VectorBuilder host(program.code());
  SmallVector<Value> dims = epilogue.groupDims();
  Value inner = dims.back();
  Value rows = host.product(ArrayRef(dims).drop_back());
  Value innerParts = host.ceilDiv(inner, host.i64(kPartElements));
  Value rowsPerPart =
      host.max(host.div(host.i64(kPartElements), host.max(inner, host.i64(1))),
               host.i64(1));
  Value parts = host.mul(host.ceilDiv(rows, rowsPerPart), innerParts);
  size_t own = captures.size();
  captures.append({rows, innerParts, rowsPerPart});
  captures.append(extras.begin(), extras.end());
  std::optional<int64_t> known = knownNumber(inner);
  bool hasTail = !known || *known % kLanes != 0;

  program.launch(name, captures, parts, [&](KernelScope &scope) {
    epilogue.enter(scope);
    VectorBuilder v(scope.code());
    ArrayRef<Value> limits = epilogue.dimsInside();
    ArrayRef<Value> args = ArrayRef(scope.captures).drop_front(own);
    bool isWhole = knownNumber(args[1]) == 1;
    Value rowPart = isWhole ? scope.part : v.div(scope.part, args[1]);
    Value innerPart = isWhole ? v.i64(0) : v.rem(scope.part, args[1]);
    Value low = v.mul(innerPart, v.i64(kPartElements));
    Value high = v.min(limits.back(), v.add(low, v.i64(kPartElements)));
    auto walk = [&](Value row, SmallVector<Value> coordinates) {
      int64_t lane = coordinates.size();
      coordinates.push_back(Value());
      Value first = v.mul(row, limits.back());
      v.loop(low, high, kLanes, [&](Value index) {
        coordinates.back() = index;
        Value count = hasTail ? v.sub(high, index) : Value();
        Value lanes;
        if (root)
          lanes = root(scope, args.drop_front(3), v.add(first, index), count);
        epilogue.finish(scope.b, {coordinates, lane, count}, lanes);
      });
    };
    if (limits.size() == 1)
      return walk(v.i64(0), {});
    Value firstRow = v.mul(rowPart, args[2]);
    Value lastRow = v.min(args[0], v.add(firstRow, args[2]));
    v.loop(firstRow, lastRow, 1, [&](Value row) {
      walk(row, v.delinearize(row, limits.drop_back()));
    });
  });
  return success();
}
