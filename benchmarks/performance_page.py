"""Writes docs/performance.md: models and kernels beside their peers and their limits.

    python benchmarks/performance_page.py [--threads N] [--rounds N] > docs/performance.md

Measures by models.py and kernels.py; needs the packages of requirements.txt, and takes about
a quarter of an hour.
"""

import argparse
import importlib.metadata
import os
import platform
from datetime import date
from pathlib import Path

import kernels
import models
from kernel_cases import all_cases
from limits import Limits
from measuring import ToolError

HEAD = """# Performance

<!-- `python benchmarks/performance_page.py > docs/performance.md` writes this page. -->

Times of one machine on one day: compare columns, not pages. Everything in a row ran in
turns on the same {threads}; the machine had a load of {load:.1f} when it began.

{machine}

"""
LIMITS_HEAD = """## Limits

What kernels are measured by: products a second of each unit with operands from the first
cache, and bytes a second read from sets of a size, on as many threads.

"""
MODELS_HEAD = """## Models

Milliseconds of a sample (medians), and how long that is beside what a user would run
instead: below 1 qopt is faster. The metric is on samples that nothing was fitted to, so that a
time can be read with what it costs. Peers compute floats in f32.
"""
KERNELS_HEAD = """## Kernels

A row is a layer of a model of several such layers; u8 is int8 weights by uint8 activations
between QuantizeLinear and DequantizeLinear. The limit of a layer is what its products take at
the rate above, or what its bytes take, whichever is longer; the score is that limit by the time
(least of all runs); above 100 % memory was read faster than when it was measured, for other
programs run too. The last columns are the time of a peer by ours: below 1 it is faster. For
weights of four bits OpenVINO takes activations of 8 bits, even where its precision is f32.

"""
LOSSES_HEAD = """
## Where a peer is faster

"""
REASONS_HEAD = """
## What limits low scores

A row for each kind of kernel with a score below {floor:.0%}.

"""
MODELS = ["minilm", "ppocr-rec", "digits-cnn"]
PRESETS = ["fp32", "w8a8", "mxint8"]
UNITS = ["vnni", "fma512", "pairs256", "fma256"]
SIZES = [1 << 15, 1 << 20, 1 << 24, 1 << 26, 1 << 28]
FEATURES = ["avx2", "fma", "avx_vnni", "avx512f", "avx512_vnni", "avx512_bf16", "avx512_fp16",
            "amx_int8", "amx_bf16"]
FLOOR = 0.6
"""Scores below have a reason in `REASONS`."""

# By the beginning of the kind and of the kernel; the first that fits.
REASONS = [
    ("convolution", "contract.codes", "Three channels fill three of the four products of a word, "
     "and 27 products a result are seven to nine steps, behind which a tile is stored, scaled "
     "and rounded."),
    ("convolution", "contract.i8i8", "Lanes are packed anew for each position of the kernel and "
     "each 96 channels; planes of 7x7 fill 49 of 64 lanes; with 16 channels a tile has four "
     "steps and then its results to scale, round and store."),
    ("convolution", "contract.f32", "Packing and empty lanes as with codes; with 16 or 24 "
     "channels a result is written for few products."),
    ("convolution", "contract.grouped", "A conversion and a product in floats for each 32 (16) "
     "products, in the order of the formula."),
    ("product of blocks", "contract.grouped.vnni", "A conversion and a product in floats for each "
     "32 (16) products of codes, on the ports that sum the codes; of few rows, decoding weights "
     "too."),
    ("product of blocks", "contract", "Weights are decoded to floats for each block of rows."),
    ("decoding", "contract.grouped.vnni", "Four rows: the scales of each block, as above."),
    ("decoding", "contract.grouped", "Floats of 8 bits are decoded by compares, masks and shifts, "
     "some twenty operations for 64 codes, for one row alone."),
    ("decoding", "contract.weight-only", "Each 16 weights are looked up or converted before their "
     "product: instructions, not bytes."),
    ("depthwise", "depthwise.codes", "Nine or 25 products a result, beside copying borders, "
     "interleaving sums, scaling and rounding; a row of three or five taps is one or two words "
     "of four."),
    ("depthwise", "depthwise.grouped", "Each product is a group of its own: its scale goes to the "
     "exponent, in integers that saturate, before it is added."),
    ("depthwise", "depthwise", "Loads: a tap reads 16 floats across two lines of the cache and "
     "its weight, 75 reads for the 25 products of a vector; a seventh of the time copies borders."),
    ("product", "contract", "Weights of several layers come from the last cache."),
    ("attention", "attention", "Exponentials; products of 32 or 64 channels end early."),
    ("rows", "rows", "Exponentials or sums in passes over a row: instructions, not bytes."),
]


def describe_machine():
    """The processor, its caches and what it computes with; and who was measured."""
    text = Path("/proc/cpuinfo").read_text()
    fields = dict(line.split(":", 1) for line in text.split("\n\n")[0].replace("\t", "").splitlines())
    flags = fields["flags"].split()
    caches = [f"{(folder / 'level').read_text().strip()}: {(folder / 'size').read_text().strip()}"
              for folder in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*"))
              if (folder / "type").read_text().strip() != "Instruction"]
    features = ", ".join(name for name in FEATURES if name in flags)
    missing = ", ".join(name for name in FEATURES if name not in flags)
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}"
                         for name in ("onnxruntime", "openvino", "nncf") if is_installed(name))
    return "\n".join([
        f"- {date.today()}, {platform.system()} {platform.machine()}, {os.cpu_count()} processors, "
        f"family {fields['cpu family'].strip()} model {fields['model'].strip()}: "
        f"{fields['model name'].strip()}",
        f"- has {features}; lacks {missing or 'none of those that are asked for'}",
        f"- caches by level: {', '.join(caches)}",
        f"- peers: {versions}"])


def is_installed(name):
    try:
        return bool(importlib.metadata.version(name))
    except importlib.metadata.PackageNotFoundError:
        return False


def print_limits(limits):
    print(LIMITS_HEAD + "| what | rate |\n|---|---|")
    for unit in UNITS:
        if rate := limits.macs_per_second(unit):
            print(f"| {unit} | {rate * 1e-9:.0f} GMAC/s |")
    for size in SIZES:
        print(f"| reading {size >> 10} KiB | {limits.bytes_per_second(size) * 1e-9:.0f} GB/s |",
              flush=True)


def print_models(options):
    print("\n" + MODELS_HEAD)
    options.presets, options.check_reference = ",".join(PRESETS), None
    for name in MODELS:
        print(f"### {name}\n")
        for line in models.table(name, options):
            print(line, flush=True)
        print()


def reason_for(kind, kernel):
    """The reason of a row with these cells, or None."""
    return next((text for start, name, text in REASONS
                 if kind.startswith(start) and kernel.startswith(name)), None)


def print_kernels(options):
    print(KERNELS_HEAD + "| " + " | ".join(kernels.heads()) + " |\n"
          + "|---" * len(kernels.heads()) + "|")
    pairs = []
    for case, result in kernels.results(shown_cases(), options):
        print(kernels.row(case, result), flush=True)
        if not isinstance(result, ToolError):
            pairs.append((case, result))
    print(LOSSES_HEAD + "\n".join(describe_losses(pairs)))
    print(REASONS_HEAD.format(floor=FLOOR) + "| kind | kernel | why |\n|---|---|---|")
    low = {(case.family.split(",")[0], result.kernel)
           for case, result in pairs if result.score < FLOOR}
    for kind, kernel in sorted(low):
        print(reason_row(kind, kernel))


def reason_row(kind, kernel):
    return f"| {kind} | {kernel} | {reason_for(kind, kernel) or 'not known'} |"


def shown_cases():
    """Signed activations are as fast as unsigned ones here, and slow elsewhere; of the
    depthwise layers two models are enough."""
    return [case for case in all_cases()
            if case.format_name != "i8" and case.family != "depthwise, efficientnet"]


def describe_losses(pairs):
    losses = [(time / result.time, name, case) for case, result in pairs
              for name, time in result.peers.items() if time < result.time]
    total = sum(len(result.peers) for _, result in pairs)
    yield f"{len(losses)} of {total} pairs of a row and a peer, the largest first."
    yield ""
    yield "| peer / qopt | peer | kind | layer | format |\n|---|---|---|---|---|"
    for ratio, name, case in sorted(losses, key=lambda loss: loss[0]):
        yield f"| {ratio:.2f} | {name} | {case.family} | {case.layer} | {case.format_name} |"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    kernels.add_options(parser)
    options = parser.parse_args()
    kernels.pin(options.threads)
    threads = "thread" if options.threads == 1 else f"{options.threads} threads"
    print(HEAD.format(threads=threads, load=os.getloadavg()[0], machine=describe_machine()))
    print_limits(Limits(options.threads))
    print_models(options)
    print_kernels(options)


if __name__ == "__main__":
    main()
