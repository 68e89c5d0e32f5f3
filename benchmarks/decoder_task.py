"""SmolLM2 as a task: windows of text, and how well the next tokens are foretold.

What it needs of requirements.txt is imported where it is used, so that the tables of
methods can be read without.
"""

from pathlib import Path

import numpy as np

from fetch import cache_folder
from samples import read_samples
from tasks import Task

# Short, so that a row takes minutes.
WINDOWS, TOKENS = 4, 256


def make():
    import smollm
    return smollm.make(cache_folder() / "models" / "smollm2-onnx")


def log_softmax(logits):
    rows = logits.astype(np.float64)
    rows -= rows.max(-1, keepdims=True)
    return rows - np.log(np.exp(rows).sum(-1, keepdims=True))


def write_data(out):
    """Windows for calibration and evaluation, and what ONNX Runtime foretells."""
    from tokenizers import Tokenizer
    from decoding import make_windows, past_dims, write_windows
    from ort_run import make_session
    model, tokenizer = make()
    out = Path(out)
    dims = past_dims(model)
    for name, windows in zip(("calib", "eval"),
                             make_windows(Tokenizer.from_file(str(tokenizer)), WINDOWS,
                                          TOKENS)):
        write_windows(windows, dims, out / name)
    session = make_session(model)
    # Half the memory; KL sums what this rounds over thousands of tokens.
    np.save(out / "reference.npy", np.stack(
        [log_softmax(session.run(["logits"], sample)[0][0]).astype(np.float16)
         for sample in read_samples(out / "eval")]))


def score(data, outputs):
    """Perplexity; KL divergence from the float model and how often both find the same token
    the likeliest."""
    data = Path(data)
    reference = np.load(data / "reference.npy", mmap_mode="r")
    losses, divergences, same = [], [], []
    for sample, expected, path in zip(read_samples(data / "eval"), reference,
                                      sorted(Path(outputs).glob("*.npz"))):
        with np.load(path) as arrays:
            found = log_softmax(arrays["logits"][0])
        expected = expected.astype(np.float64)
        tokens = sample["input_ids"][0, 1:]
        losses.append(-found[np.arange(len(tokens)), tokens])
        divergences.append((np.exp(expected) * (expected - found)).sum(-1))
        same.append(found.argmax(-1) == expected.argmax(-1))
    return {"ppl": float(np.exp(np.mean(losses))), "kl": float(np.mean(divergences)),
            "same": float(np.mean(same))}


TASK = Task(model=lambda: make()[0], write_data=write_data, score=score,
            sources=("*.py", "../../benchmarks/smollm.py", "../../benchmarks/decod*.py"))
