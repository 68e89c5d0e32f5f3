//===- ControlFlowTest.cpp - Branches and loops of tensors ----------------===//
//
// Regions take what is outside of them, loops carry tensors whose dims grow.
//
//===----------------------------------------------------------------------===//

#include "TestProgram.h"

#include "qopt/Support/CodedError.h"
#include "gtest/gtest.h"

using namespace qopt;
using namespace qopt::test;

static const char *const kBranch = R"(
  (%x: tensor<?xf32>, %c: tensor<i1>) -> tensor<?xf32> {
    %two = qopt.add %x, %x : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
    %condition = tensor.extract %c[] : tensor<i1>
    %0 = scf.if %condition -> (tensor<?xf32>) {
      %n = qopt.neg %two : (tensor<?xf32>) -> tensor<?xf32>
      scf.yield %n : tensor<?xf32>
    } else {
      %j = qopt.concat %two, %x {axis = 0 : i64}
        : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
      scf.yield %j : tensor<?xf32>
    }
    %1 = qopt.add %0, %0 : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
    return %1 : tensor<?xf32>
  })";

static HostTensor boolean(bool value) {
  return makeTensor<uint8_t>(ElementType::BOOL, {}, {value});
}

TEST(ControlFlow, OneBranchRuns) {
  Program program(kBranch);
  HostTensor x = f32({2}, {1, 2});
  EXPECT_EQ(valuesOf<float>(program.get({x, boolean(true)})),
            (std::vector<float>{-4, -8}));
  HostTensor joined = program.get({x, boolean(false)});
  EXPECT_EQ(joined.getDims().vec(), (std::vector<int64_t>{4}));
  EXPECT_EQ(valuesOf<float>(joined), (std::vector<float>{4, 8, 2, 4}));
}

static const char *const kCount = R"(
  (%x: tensor<?xf32>, %n: tensor<i64>) -> (tensor<?xf32>, tensor<i64>) {
    %c0 = arith.constant 0 : i64
    %c2 = arith.constant 2 : i64
    %zero = tensor.from_elements %c0 : tensor<i64>
    %end = tensor.extract %n[] : tensor<i64>
    %0:2 = scf.for %i = %c0 to %end step %c2
        iter_args(%joined = %x, %sum = %zero) -> (tensor<?xf32>, tensor<i64>) : i64 {
      %at = tensor.from_elements %i : tensor<i64>
      %next = qopt.add %sum, %at : (tensor<i64>, tensor<i64>) -> tensor<i64>
      %more = qopt.concat %joined, %x {axis = 0 : i64}
        : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
      scf.yield %more, %next : tensor<?xf32>, tensor<i64>
    }
    return %0#0, %0#1 : tensor<?xf32>, tensor<i64>
  })";

TEST(ControlFlow, LoopsCarryTensorsThatGrow) {
  Program program(kCount);
  HostTensor x = f32({1}, {7});
  std::vector<HostTensor> none = program.run({x, i64({}, {0})});
  EXPECT_EQ(valuesOf<float>(none[0]), (std::vector<float>{7}));
  EXPECT_EQ(valuesOf<int64_t>(none[1]), (std::vector<int64_t>{0}));
  std::vector<HostTensor> three = program.run({x, i64({}, {5})});
  EXPECT_EQ(valuesOf<float>(three[0]), (std::vector<float>(4, 7)));
  EXPECT_EQ(valuesOf<int64_t>(three[1]), (std::vector<int64_t>{0 + 2 + 4}));
}

TEST(ControlFlow, StepsMustGoForward) {
  Program program(R"((%n: tensor<i64>) -> tensor<i64> {
    %c0 = arith.constant 0 : i64
    %step = tensor.extract %n[] : tensor<i64>
    %0 = scf.for %i = %c0 to %c0 step %step iter_args(%a = %n) -> (tensor<i64>) : i64 {
      scf.yield %a : tensor<i64>
    }
    return %0 : tensor<i64>
  })");
  EXPECT_EQ(program.fail({i64({}, {0})}),
            "'scf.for' op expects a step above 0, but found 0");
}

// ONNX Loop: while there are trips left and the body says so.
static const char *const kWhile = R"(
  (%trips: tensor<i64>, %limit: tensor<f32>) -> (tensor<f32>, tensor<i64>) {
    %c0 = arith.constant 0 : i64
    %c1 = arith.constant 1 : i64
    %true = arith.constant true
    %last = tensor.extract %trips[] : tensor<i64>
    %one = qopt.constant(dense<1.0> : tensor<f32>) : tensor<f32>
    %0:3 = scf.while (%i = %c0, %goes = %true, %x = %one)
        : (i64, i1, tensor<f32>) -> (i64, i1, tensor<f32>) {
      %isLeft = arith.cmpi slt, %i, %last : i64
      %both = arith.andi %isLeft, %goes : i1
      scf.condition(%both) %i, %goes, %x : i64, i1, tensor<f32>
    } do {
    ^bb0(%i: i64, %goes: i1, %x: tensor<f32>):
      %y = qopt.add %x, %x : (tensor<f32>, tensor<f32>) -> tensor<f32>
      %isLess = qopt.less %y, %limit : (tensor<f32>, tensor<f32>) -> tensor<i1>
      %goesOn = tensor.extract %isLess[] : tensor<i1>
      %next = arith.addi %i, %c1 : i64
      scf.yield %next, %goesOn, %y : i64, i1, tensor<f32>
    }
    %count = tensor.from_elements %0#0 : tensor<i64>
    return %0#2, %count : tensor<f32>, tensor<i64>
  })";

TEST(ControlFlow, LoopsEndWhereTheirConditionDoes) {
  Program program(kWhile);
  std::vector<HostTensor> byTrips = program.run({i64({}, {3}), f32({}, {100})});
  EXPECT_EQ(valuesOf<float>(byTrips[0]), (std::vector<float>{8}));
  EXPECT_EQ(valuesOf<int64_t>(byTrips[1]), (std::vector<int64_t>{3}));
  std::vector<HostTensor> byLimit =
      program.run({i64({}, {90}), f32({}, {100})});
  EXPECT_EQ(valuesOf<float>(byLimit[0]), (std::vector<float>{128}));
  EXPECT_EQ(valuesOf<int64_t>(byLimit[1]), (std::vector<int64_t>{7}));
}

TEST(ControlFlow, ElementsAreTakenFromInside) {
  Program program(R"((%x: tensor<?xi64>, %i: tensor<i64>) -> tensor<2xi64> {
    %0 = tensor.extract %i[] : tensor<i64>
    %1 = arith.index_cast %0 : i64 to index
    %2 = tensor.extract %x[%1] : tensor<?xi64>
    %3 = tensor.from_elements %2, %0 : tensor<2xi64>
    return %3 : tensor<2xi64>
  })");
  HostTensor x = i64({3}, {4, 5, 6});
  EXPECT_EQ(valuesOf<int64_t>(program.get({x, i64({}, {2})})),
            (std::vector<int64_t>{6, 2}));
  EXPECT_EQ(program.fail({x, i64({}, {3})}),
            "'tensor.extract' op index 3 is outside an axis of 3");
}
