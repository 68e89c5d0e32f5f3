"""Judges a model by what it is for: accuracy, character errors, retrieval.

    python test/models/evaluate.py NAME --outputs DIR     outputs that qopt-run wrote
    python test/models/evaluate.py NAME --ort             ONNX Runtime on the float model
    python test/models/evaluate.py NAME --ort FILE.onnx   ONNX Runtime on another one
    python test/models/evaluate.py NAME --paths           where model and samples are

prints one JSON object. Data is taken from --data DIR, which is made if it is
not there; by default it lies in the cache folder of fetch.py.
"""

import argparse
import json
import sys
import tempfile

from fetch import FetchError
from ort_run import run_folder
from tasks import TASKS, prepare


def evaluate_ort(prepared, model=None):
    """The figures of ONNX Runtime on `model`, by default the float one."""
    with tempfile.TemporaryDirectory() as outputs:
        run_folder(model or prepared.model, prepared.eval, outputs)
        return prepared.score(outputs)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=TASKS)
    parser.add_argument("--data", metavar="DIR", help="folder of calib/ and eval/ samples")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--outputs", metavar="DIR", help="one .npz for each of eval/")
    what.add_argument("--ort", nargs="?", const="", metavar="FILE.onnx")
    what.add_argument("--paths", action="store_true")
    arguments = parser.parse_args()
    try:
        prepared = prepare(arguments.name, arguments.data)
        if arguments.paths:
            result = {"model": str(prepared.model), "calib": str(prepared.calib),
                      "eval": str(prepared.eval)}
        elif arguments.outputs:
            result = prepared.score(arguments.outputs)
        else:
            result = evaluate_ort(prepared, arguments.ort)
    except (FetchError, OSError, ValueError) as error:
        sys.exit(f"evaluate.py: {error}")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
