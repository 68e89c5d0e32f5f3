"""The table of a decoder and presets: perplexity, tokens a second, cost of compiling.

    python benchmarks/decoding.py [--presets A,B] [--windows N] [--folder DIR] [--threads N]
                                  [--peer]

Makes SmolLM2-135M (see smollm.py) in --folder, compiles it with each preset, and
prints a row for each: bytes of the artefact, seconds and peak memory of the compiler,
perplexity over windows of 512 tokens, tokens a second of a prompt and of decoding
behind it, and how many bytes of the artefact a second that makes. The text is that of
pydoc's topics, the first half for calibration. PRESET+FORMAT keeps keys and values as
codes of that format, as in `w4a16-g32+i8`. With --peer the last row is
llama-cpp-python on the package's GGUF file, where it is installed.
"""

import argparse
import time
from pathlib import Path
from pydoc_data.topics import topics

import numpy as np
import qopt
from tokenizers import Tokenizer

import measuring
import smollm
from fetch import fetch
from samples import write_samples

WINDOW = 512
ROW = "{:14} {:>8} {:>8} {:>8} {:>9} {:>9} {:>9} {:>7}"


def make_windows(tokenizer, count, size=WINDOW):
    """Windows of `size` tokens: eight for calibration, `count` for evaluation."""
    text = "\n\n".join(topics[name] for name in sorted(topics))
    tokens = np.array(tokenizer.encode(text).ids, np.int64)
    half = len(tokens) // 2

    def take(start, number):
        return [tokens[at:at + size] for at in range(start, start + number * size, size)]

    return take(0, 8), take(half, count)


def write_windows(windows, module_inputs, folder):
    """Windows as samples with an empty past."""
    past = {name: np.zeros([1 if dim == "batch" else 0 if isinstance(dim, str) else dim
                            for dim in dims], np.float32)
            for name, dims in module_inputs.items()}
    write_samples(folder, ({"input_ids": window[None], **past} for window in windows))
    return folder


def past_dims(model):
    import onnx
    graph = onnx.load(model, load_external_data=False).graph
    return {value.name: [dim.dim_param or dim.dim_value for dim in value.type.tensor_type.shape.dim]
            for value in graph.input if value.name.startswith("past")}


def compile_model(model, preset, artefact, calib):
    """Seconds and peak memory in GB."""
    preset, _, cache = preset.partition("+")
    flags = ["--calib", calib] if preset in ("w8a8", "w8a8-pow2") else []
    what = ["--preset", preset]
    if cache:
        recipe = artefact.with_suffix(".yaml")
        recipe.write_text(f"{{version: 1, preset: {preset}, kv-cache: {{format: {cache}}}}}")
        what = ["--recipe", recipe]
    return measuring.measure_compile(model, artefact, *what, *flags)


def find_losses(logits, tokens):
    """Of each token but the first, in nats."""
    rows = logits[:-1].astype(np.float64)
    rows -= rows.max(-1, keepdims=True)
    return np.log(np.exp(rows).sum(-1)) - rows[np.arange(len(rows)), tokens[1:]]


def measure(artefact, windows, threads, steps=64):
    """Perplexity, and tokens a second of a prompt and of decoding behind it."""
    module = qopt.load(artefact, threads)
    module.bind_states(WINDOW + steps)
    losses, prompt = [], float("inf")
    for window in windows:
        module.reset_states()
        start = time.perf_counter()
        logits = module.run({"input_ids": window[None]})["logits"][0]
        prompt = min(prompt, time.perf_counter() - start)
        losses.append(find_losses(logits, window))
    token, times = int(np.argmax(logits[-1])), []
    for _ in range(steps):
        start = time.perf_counter()
        logits = module.run({"input_ids": np.array([[token]])})["logits"][0]
        times.append(time.perf_counter() - start)
        token = int(np.argmax(logits[-1]))
    return np.exp(np.mean(losses)), WINDOW / prompt, 1 / np.median(times)


def measure_peer(windows, threads, steps=64):
    from llama_cpp import Llama
    path = fetch("smollm2-135m")["smollm2-135m.gguf"]
    llama = Llama(str(path), n_ctx=WINDOW + steps, n_batch=WINDOW, n_threads=threads or None,
                  n_threads_batch=threads or None, logits_all=True, verbose=False)
    losses, prompt = [], float("inf")
    for window in windows:
        llama.reset()
        start = time.perf_counter()
        llama.eval(window.tolist())
        prompt = min(prompt, time.perf_counter() - start)
        losses.append(find_losses(llama.scores[:WINDOW], window))
    token, times = int(np.argmax(llama.scores[WINDOW - 1])), []
    for step in range(steps):
        start = time.perf_counter()
        llama.eval([token])
        times.append(time.perf_counter() - start)
        token = int(np.argmax(llama.scores[WINDOW + step]))
    return np.exp(np.mean(losses)), WINDOW / prompt, 1 / np.median(times), path


def print_row(name, size, cost, figures):
    perplexity, prompt, decoding = figures
    print(ROW.format(name, f"{size / 1e6:.1f}", *cost, f"{perplexity:.3f}", f"{prompt:.1f}",
                     f"{decoding:.1f}", f"{decoding * size / 1e9:.2f}"), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--presets", default=",".join(measuring.PRESETS))
    parser.add_argument("--windows", type=int, default=8)
    parser.add_argument("--folder", type=Path,
                        default=Path.home() / ".cache" / "qopt" / "models" / "smollm2-onnx")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--peer", action="store_true")
    options = parser.parse_args()
    model, tokenizer = smollm.make(options.folder)
    calib, windows = make_windows(Tokenizer.from_file(str(tokenizer)), options.windows)
    samples = write_windows(calib, past_dims(model), options.folder / "calib")
    print(ROW.format("preset", "MB", "compile", "peak GB", "ppl", "prompt/s", "decode/s",
                     "GB/s"))
    for preset in options.presets.split(","):
        artefact = options.folder / f"{preset}.so"
        try:
            seconds, peak = compile_model(model, preset, artefact, samples)
            print_row(preset, artefact.stat().st_size, (f"{seconds:.1f}", f"{peak:.2f}"),
                      measure(artefact, windows, options.threads))
        except (measuring.ToolError, qopt.Error) as error:
            print(f"{preset:14} {error}", flush=True)
        artefact.unlink(missing_ok=True)
    if options.peer:
        *figures, path = measure_peer(windows, options.threads)
        print_row("llama.cpp Q4_1", path.stat().st_size, ("", ""), figures)


if __name__ == "__main__":
    main()
