"""Each text of an error or of a reason in lib/Target, and in the passes on kernels, stands
in a test."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

TEXT = re.compile(r'"((?:[^"\\\n]|\\.)*)"')

UNTESTED = {
    # No driver of the tests lacks them.
    "8-bit storage", "16-bit storage", "64-bit integers", "64-bit floats",
    # Only a fault in a kernel makes such a shader.
    "cannot be written in SPIR-V",
}


def join_literals(text):
    return re.sub(r'"\s*\n\s*[fr]?"', "", text)


def read(folder, *endings):
    return {path: join_literals(path.read_text()) for path in sorted((ROOT / folder).rglob("*"))
            if path.suffix in endings}


def find_texts():
    """Literals of two words or more, by file, without those of asserts."""
    found = {}
    texts = {**read("lib/Target", ".cpp", ".h"),
             **read("dialects/QKernel/Transforms", ".cpp", ".h")}
    for path, text in texts.items():
        text = re.sub(r"//[^\n]*|^#include[^\n]*", "", text, flags=re.MULTILINE)
        text = re.sub(r'&&\s*"(?:[^"\\]|\\.)*"|llvm_unreachable\("[^"]*"\)', "", text)
        for literal in TEXT.findall(text):
            words = literal.replace('\\"', "").replace("\\n", " ").strip(" ,.:;")
            if len(re.findall(r"[a-z]{2,}", words)) >= 2 and " " in words:
                found.setdefault(words, path.relative_to(ROOT).as_posix())
    return found


def find_untested():
    tests = "".join(text.replace("\\", "").replace('"', "")
                    for path, text in read("test", ".cpp", ".mlir", ".py").items()
                    if path != Path(__file__).resolve())
    return {words: path for words, path in find_texts().items() if words not in tests}


def test_each_text_is_tested():
    assert len(find_texts()) > 60
    assert {words: path for words, path in find_untested().items() if words not in UNTESTED} == {}
