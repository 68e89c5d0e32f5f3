"""The tokenizer of uncased BERT models, from a tokenizer.json."""

import json
import unicodedata
from pathlib import Path


def _is_punctuation(character):
    return (unicodedata.category(character)[0] == "P"
            or character.isascii() and character.isprintable()
            and not character.isalnum() and character != " ")


def _is_control(character):
    """Line breaks and tabs are white space; other control characters are dropped."""
    return unicodedata.category(character)[0] == "C" and character not in "\t\n\r"


def _is_ideograph(character):
    return "CJK UNIFIED IDEOGRAPH" in unicodedata.name(character, "")


def split_words(text):
    """Lower case words without accents; punctuation and ideographs stand alone."""
    spaced = []
    for character in unicodedata.normalize("NFD", text.lower()):
        if unicodedata.category(character) == "Mn" or _is_control(character):
            continue
        alone = _is_punctuation(character) or _is_ideograph(character)
        spaced.append(f" {character} " if alone else character)
    return "".join(spaced).split()


class WordPiece:
    def __init__(self, path):
        model = json.loads(Path(path).read_text())["model"]
        self.vocabulary = model["vocab"]
        self.unknown = model["unk_token"]
        self.prefix = model["continuing_subword_prefix"]
        self.max_word = model["max_input_chars_per_word"]

    def split_word(self, word):
        """The longest pieces from the left; one unknown token if any is missing."""
        pieces, start = [], 0
        while start < len(word):
            for end in range(len(word), start, -1):
                piece = (self.prefix if start else "") + word[start:end]
                if piece in self.vocabulary:
                    break
            else:
                return [self.unknown]
            pieces.append(piece)
            start = end
        return pieces if len(word) <= self.max_word else [self.unknown]

    def encode(self, text):
        """Token numbers of `text` between [CLS] and [SEP]."""
        pieces = [piece for word in split_words(text) for piece in self.split_word(word)]
        return [self.vocabulary[piece] for piece in ["[CLS]", *pieces, "[SEP]"]]
