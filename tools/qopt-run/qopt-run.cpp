//===- qopt-run.cpp - Runs a model ----------------------------------------===//
//
// Delegates.
//
//===----------------------------------------------------------------------===//

#include "qopt/Driver/RunDriver.h"

int main(int argc, char **argv) { return qopt::runMain(argc, argv); }
