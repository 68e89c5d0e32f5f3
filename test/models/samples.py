"""Folders of samples: one .npz a sample, keyed by input (or output) name.

qopt-compile --calib reads such a folder, and qopt-run maps one folder of inputs
to one of outputs of the same file names. File names sort in sample order.
"""

from pathlib import Path

import numpy as np


def write_samples(folder, samples):
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for index, sample in enumerate(samples):
        np.savez(folder / f"{index:04}.npz", **sample)


def read_samples(folder):
    """The samples of `folder` in the order of their names, as dicts of arrays."""
    samples = []
    for path in sorted(Path(folder).glob("*.npz")):
        with np.load(path, allow_pickle=False) as arrays:
            samples.append({name: arrays[name] for name in arrays.files})
    return samples


def read_outputs(folder, count):
    """The only array of each of the `count` samples in `folder`."""
    samples = read_samples(folder)
    if len(samples) != count:
        raise ValueError(f"{folder}: expected {count} samples, but found {len(samples)}")
    for sample in samples:
        if len(sample) != 1:
            raise ValueError(f"{folder}: expected one output, but found {sorted(sample)}")
    return [next(iter(sample.values())) for sample in samples]
