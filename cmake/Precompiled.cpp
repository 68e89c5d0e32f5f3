//===- Precompiled.cpp - Carrier of the precompiled header ----------------===//
//
// Exists so that one target owns the header that the libraries reuse.
//
//===----------------------------------------------------------------------===//
