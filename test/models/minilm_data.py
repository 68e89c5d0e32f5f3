"""Sentences for the MiniLM encoder: samples, and how far its answers moved.

    python test/models/minilm_data.py MODEL.onnx OUT

writes OUT/calib (64 sentences, one a sample), OUT/eval (128, padded batches of
4) and OUT/reference.npz: the embeddings that ONNX Runtime computes with
MODEL.onnx. Sentences 2i and 2i+1 of eval say the same in other words.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from fetch import FetchError, fetch
from ort_run import make_session
from samples import read_outputs, read_samples, write_samples
from wordpiece import WordPiece

BATCH = 4


def make_batch(tokenizer, sentences):
    """Token numbers of `sentences`, padded with 0 to the longest, and their mask."""
    encoded = [tokenizer.encode(sentence) for sentence in sentences]
    shape = len(encoded), max(map(len, encoded))
    sample = {"input_ids": np.zeros(shape, np.int64), "attention_mask": np.zeros(shape, np.int64)}
    for row, tokens in enumerate(encoded):
        sample["input_ids"][row, :len(tokens)] = tokens
        sample["attention_mask"][row, :len(tokens)] = 1
    return sample


def embed(sample, hidden):
    """One unit vector a sentence: the mean over its tokens."""
    mask = sample["attention_mask"][:, :, None].astype(np.float64)
    mean = (hidden * mask).sum(axis=1) / mask.sum(axis=1)
    return mean / np.linalg.norm(mean, axis=1, keepdims=True)


def write_data(model, out):
    out = Path(out)
    tokenizer = WordPiece(fetch("minilm")["tokenizer.json"])
    here = Path(__file__).parent
    calibration = (here / "sentences_calib.txt").read_text().splitlines()
    evaluation = (here / "sentences_pairs.tsv").read_text().replace("\t", "\n").splitlines()
    write_samples(out / "calib", [make_batch(tokenizer, [line]) for line in calibration])
    batches = [make_batch(tokenizer, evaluation[i:i + BATCH])
               for i in range(0, len(evaluation), BATCH)]
    write_samples(out / "eval", batches)
    session = make_session(model)
    np.savez(out / "reference.npz", embeddings=np.concatenate(
        [embed(batch, session.run(None, batch)[0]) for batch in batches]))


def nearest(embeddings):
    """For each sentence the one whose embedding is nearest, itself left out."""
    similarity = embeddings @ embeddings.T
    np.fill_diagonal(similarity, -np.inf)
    return similarity.argmax(axis=1)


def score(out, outputs):
    """Cosines to the reference, and how often the nearest sentence is the one in
    other words (retrieval) or the one that the reference finds (agreement)."""
    samples = read_samples(Path(out) / "eval")
    reference = np.load(Path(out) / "reference.npz")["embeddings"]
    embeddings = np.concatenate([embed(sample, hidden) for sample, hidden in
                                 zip(samples, read_outputs(outputs, len(samples)))])
    cosines = (embeddings * reference).sum(axis=1)
    found = nearest(embeddings)
    return {"cosine_mean": float(cosines.mean()), "cosine_worst": float(cosines.min()),
            "retrieval": float(np.mean(found == np.arange(len(found)) ^ 1)),
            "agreement": float(np.mean(found == nearest(reference)))}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", metavar="MODEL.onnx")
    parser.add_argument("out")
    arguments = parser.parse_args()
    try:
        write_data(arguments.model, arguments.out)
    except (FetchError, OSError) as error:
        sys.exit(f"minilm_data.py: {error}")
