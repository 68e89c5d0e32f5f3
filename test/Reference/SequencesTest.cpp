//===- SequencesTest.cpp - Sequences and optionals in a run ---------------===//
//
// Against lists that were worked out by hand.
//
//===----------------------------------------------------------------------===//

#include "TestProgram.h"

#include "gtest/gtest.h"

using namespace qopt;
using namespace qopt::test;

using Ints = std::vector<int64_t>;

static HostTensor number(int64_t value) { return i64({}, {value}); }

/// [1], [2, 3] with [4, 5, 6] put in at %i, joined.
static const char *const kInsert = R"(
  (%x: tensor<1xi64>, %y: tensor<2xi64>, %z: tensor<3xi64>, %i: tensor<i64>) -> tensor<?xi64> {
    %s = qopt.sequence_construct %x, %y : (tensor<1xi64>, tensor<2xi64>) -> !qopt.sequence<tensor<?xi64>>
    %t = qopt.sequence_insert %s, %z, %i : (!qopt.sequence<tensor<?xi64>>, tensor<3xi64>, tensor<i64>) -> !qopt.sequence<tensor<?xi64>>
    %j = qopt.concat_from_sequence %t {axis = 0 : i64, new_axis = false} : (!qopt.sequence<tensor<?xi64>>) -> tensor<?xi64>
    return %j : tensor<?xi64>
  })";

TEST(Sequences, Insert) {
  Program program(kInsert);
  auto run = [&](int64_t at) {
    return valuesOf<int64_t>(program.get(
        {i64({1}, {1}), i64({2}, {2, 3}), i64({3}, {4, 5, 6}), number(at)}));
  };
  EXPECT_EQ(run(0), (Ints{4, 5, 6, 1, 2, 3}));
  EXPECT_EQ(run(2), (Ints{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(run(-1), (Ints{1, 4, 5, 6, 2, 3}));
  EXPECT_EQ(program.fail({i64({1}, {1}), i64({2}, {2, 3}), i64({3}, {4, 5, 6}),
                          number(3)}),
            "'qopt.sequence_insert' op position 3 is outside a sequence of 2");
}

/// Rows of %x without that at %i: their number, and the one at -1.
static const char *const kErase = R"(
  (%x: tensor<?x2xi64>, %i: tensor<i64>, %last: tensor<1xi32>) -> (tensor<i64>, tensor<2xi64>) {
    %s = qopt.split_to_sequence %x {axis = 0 : i64, keepdims = false} : (tensor<?x2xi64>) -> !qopt.sequence<tensor<2xi64>>
    %t = qopt.sequence_erase %s, %i : (!qopt.sequence<tensor<2xi64>>, tensor<i64>) -> !qopt.sequence<tensor<2xi64>>
    %n = qopt.sequence_length %t : (!qopt.sequence<tensor<2xi64>>) -> tensor<i64>
    %y = qopt.sequence_at %t, %last : (!qopt.sequence<tensor<2xi64>>, tensor<1xi32>) -> tensor<2xi64>
    return %n, %y : tensor<i64>, tensor<2xi64>
  })";

TEST(Sequences, EraseOfALengthThatARunKnows) {
  Program program(kErase);
  HostTensor rows = i64({3, 2}, {1, 2, 3, 4, 5, 6}), last = i32({1}, {-1});
  auto outputs = program.run({rows, number(2), last});
  EXPECT_EQ(valuesOf<int64_t>(outputs[0]), (Ints{2}));
  EXPECT_EQ(valuesOf<int64_t>(outputs[1]), (Ints{3, 4}));
  EXPECT_EQ(program.fail({i64({1, 2}, {1, 2}), number(0), last}),
            "'qopt.sequence_at' op position -1 is outside a sequence of 0");
}

/// %x in parts along axis 1, stacked or joined again along axis 0.
static std::string split(const std::string &sizes, bool isStacked) {
  return "(%x: tensor<2x?xi64>, %n: " + sizes + ") -> tensor<?x?" +
         (isStacked ? "x?" : "") +
         "xi64> { %s = qopt.split_to_sequence %x, %n {axis = 1 : i64, "
         "keepdims = true} : (tensor<2x?xi64>, " +
         sizes +
         ") -> !qopt.sequence<tensor<2x?xi64>>"
         " %j = qopt.concat_from_sequence %s {axis = 0 : i64, new_axis = " +
         (isStacked ? "true" : "false") +
         "} : (!qopt.sequence<tensor<2x?xi64>>) -> tensor<?x?" +
         (isStacked ? "x?" : "") + "xi64> return %j : tensor<?x?" +
         (isStacked ? "x?" : "") + "xi64> }";
}

TEST(Sequences, SplitAndJoin) {
  HostTensor x = i64({2, 4}, {0, 1, 2, 3, 4, 5, 6, 7});
  HostTensor stacked = Program(split("tensor<i64>", true)).get({x, number(2)});
  EXPECT_EQ(stacked.getDims().vec(), (Ints{2, 2, 2}));
  EXPECT_EQ(valuesOf<int64_t>(stacked), (Ints{0, 1, 4, 5, 2, 3, 6, 7}));
  Program parts(split("tensor<?xi64>", false));
  HostTensor joined = parts.get({x, i64({2}, {2, 2})});
  EXPECT_EQ(joined.getDims().vec(), (Ints{4, 2}));
  EXPECT_EQ(valuesOf<int64_t>(joined), (Ints{0, 1, 4, 5, 2, 3, 6, 7}));
  EXPECT_EQ(parts.fail({x, i64({2}, {1, 3})}),
            "'qopt.concat_from_sequence' op cannot join 2x3 to 2x1");
  EXPECT_EQ(parts.fail({x, i64({2}, {2, 1})}),
            "'qopt.split_to_sequence' op sizes do not sum to the dim 4");
  EXPECT_EQ(parts.fail({x, i64({2}, {5, -1})}),
            "'qopt.split_to_sequence' op sizes do not sum to the dim 4");
  EXPECT_EQ(parts.fail({x, i64({0}, {})}),
            "'qopt.split_to_sequence' op sizes do not sum to the dim 4");
  EXPECT_EQ(Program(split("tensor<i64>", true)).fail({x, number(0)}),
            "'qopt.split_to_sequence' op expects parts of 1 or more, but found "
            "0");
}

TEST(Sequences, AnEmptyOneIsNotJoined) {
  Program program("() -> tensor<?xi64> {"
                  "%s = qopt.sequence_construct : () -> "
                  "!qopt.sequence<tensor<?xi64>>"
                  " %j = qopt.concat_from_sequence %s {axis = 0 : i64, "
                  "new_axis = false} : (!qopt.sequence<tensor<?xi64>>) -> "
                  "tensor<?xi64> return %j : tensor<?xi64> }");
  EXPECT_EQ(program.fail({}), "'qopt.concat_from_sequence' op cannot join a "
                              "sequence that is empty");
}

/// A loop that carries a sequence: 0, x, x + x ... one for each step.
static const char *const kLoop = R"(
  (%x: tensor<2xi64>, %n: tensor<i64>) -> tensor<?x2xi64> {
    %c0 = arith.constant 0 : i64
    %c1 = arith.constant 1 : i64
    %end = tensor.extract %n[] : tensor<i64>
    %zero = qopt.sub %x, %x : (tensor<2xi64>, tensor<2xi64>) -> tensor<2xi64>
    %none = qopt.sequence_construct : () -> !qopt.sequence<tensor<2xi64>>
    %0:2 = scf.for %i = %c0 to %end step %c1
        iter_args(%s = %none, %sum = %zero) -> (!qopt.sequence<tensor<2xi64>>, tensor<2xi64>) : i64 {
      %t = qopt.sequence_insert %s, %sum : (!qopt.sequence<tensor<2xi64>>, tensor<2xi64>) -> !qopt.sequence<tensor<2xi64>>
      %next = qopt.add %sum, %x : (tensor<2xi64>, tensor<2xi64>) -> tensor<2xi64>
      scf.yield %t, %next : !qopt.sequence<tensor<2xi64>>, tensor<2xi64>
    }
    %j = qopt.concat_from_sequence %0#0 {axis = 0 : i64, new_axis = true} : (!qopt.sequence<tensor<2xi64>>) -> tensor<?x2xi64>
    return %j : tensor<?x2xi64>
  })";

TEST(Sequences, ALoopCarriesThem) {
  HostTensor joined = Program(kLoop).get({i64({2}, {1, 10}), number(3)});
  EXPECT_EQ(joined.getDims().vec(), (Ints{3, 2}));
  EXPECT_EQ(valuesOf<int64_t>(joined), (Ints{0, 0, 1, 10, 2, 20}));
}

/// An optional that holds %x where %c is true.
static const char *const kOptional = R"(
  (%x: tensor<2xi64>, %c: tensor<i1>) -> (tensor<i1>, tensor<2xi64>) {
    %condition = tensor.extract %c[] : tensor<i1>
    %o = scf.if %condition -> (!qopt.optional<tensor<2xi64>>) {
      %some = qopt.optional %x : (tensor<2xi64>) -> !qopt.optional<tensor<2xi64>>
      scf.yield %some : !qopt.optional<tensor<2xi64>>
    } else {
      %none = qopt.optional : () -> !qopt.optional<tensor<2xi64>>
      scf.yield %none : !qopt.optional<tensor<2xi64>>
    }
    %h = qopt.optional_has_element %o : (!qopt.optional<tensor<2xi64>>) -> tensor<i1>
    %has = tensor.extract %h[] : tensor<i1>
    %y = scf.if %has -> (tensor<2xi64>) {
      %v = qopt.optional_get_element %o : (!qopt.optional<tensor<2xi64>>) -> tensor<2xi64>
      scf.yield %v : tensor<2xi64>
    } else {
      %v = qopt.neg %x : (tensor<2xi64>) -> tensor<2xi64>
      scf.yield %v : tensor<2xi64>
    }
    return %h, %y : tensor<i1>, tensor<2xi64>
  })";

TEST(Optionals, ABranchMakesThem) {
  Program program(kOptional);
  for (uint8_t holds : {1, 0}) {
    auto outputs =
        program.run({i64({2}, {3, 4}),
                     makeTensor<uint8_t>(ElementType::BOOL, {}, {holds})});
    EXPECT_EQ(valuesOf<uint8_t>(outputs[0]), (std::vector<uint8_t>{holds}));
    EXPECT_EQ(valuesOf<int64_t>(outputs[1]),
              holds ? (Ints{3, 4}) : (Ints{-3, -4}));
  }
}

TEST(Optionals, NothingIsNoValue) {
  Program program("() -> tensor<2xi64> {"
                  "%o = qopt.optional : () -> !qopt.optional<tensor<2xi64>>"
                  " %v = qopt.optional_get_element %o : "
                  "(!qopt.optional<tensor<2xi64>>) -> tensor<2xi64>"
                  " return %v : tensor<2xi64> }");
  EXPECT_EQ(program.fail({}), "'qopt.optional_get_element' op takes the value "
                              "of an optional that holds none");
}
