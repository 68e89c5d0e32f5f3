"""scikit-learn's handwritten digits: split, samples and accuracy.

    python test/models/digits_data.py {mlp,cnn} OUT

writes OUT/calib (64 samples of batch 1, from the training images), OUT/eval
(the 500 test images, five batches of 100) and OUT/labels.npz.
"""

import argparse
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

from samples import read_outputs, write_samples

INPUT = "x"
SAMPLE_SHAPE = {"mlp": (64,), "cnn": (1, 8, 8)}
NUM_TEST = 500
NUM_CALIBRATION = 64
BATCH = 100


def load_split(kind):
    """(train images, train labels, test images, test labels); always the same."""
    digits = load_digits()
    order = np.random.RandomState(0).permutation(len(digits.target))
    images = (digits.data[order] / 16).astype(np.float32).reshape(-1, *SAMPLE_SHAPE[kind])
    labels = digits.target[order]
    return images[NUM_TEST:], labels[NUM_TEST:], images[:NUM_TEST], labels[:NUM_TEST]


def write_data(kind, out):
    train, _, test, labels = load_split(kind)
    write_samples(Path(out) / "calib", [{INPUT: train[i:i + 1]} for i in range(NUM_CALIBRATION)])
    write_samples(Path(out) / "eval",
                  [{INPUT: test[i:i + BATCH]} for i in range(0, NUM_TEST, BATCH)])
    np.savez(Path(out) / "labels.npz", labels=labels)


def score(out, outputs):
    """Accuracy of the logits in the folder `outputs` on the data in `out`."""
    labels = np.load(Path(out) / "labels.npz")["labels"]
    logits = np.concatenate(read_outputs(outputs, NUM_TEST // BATCH))
    return {"accuracy": float(np.mean(logits.argmax(axis=1) == labels))}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kind", choices=SAMPLE_SHAPE)
    parser.add_argument("out")
    arguments = parser.parse_args()
    write_data(arguments.kind, arguments.out)
