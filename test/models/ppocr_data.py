"""Rendered text lines for the PP-OCR models: samples, decoding and error rates.

    python test/models/ppocr_data.py {rec,cls} OUT [--hard]

writes OUT/calib (32 samples) and OUT/eval (64), one line of text each, and
OUT/labels.json. With --hard the lines are bad photographs of themselves, 64 and
128 of them: there the models make errors of their own, and quantization makes
more of them where it is not careful. For rec a sample keeps the width of its line; for cls it is
48x192 and every second line stands on its head. Texts, fonts and noise depend
on the number of the line alone, so the data is the same on every machine that
has the same font files and Pillow.
"""

import argparse
import io
import json
from pathlib import Path

import numpy as np
import onnx
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from ort_run import make_session
from samples import read_outputs, read_samples, write_samples

INPUT = "x"
HEIGHT = 48
CLS_WIDTH = 192
MAX_CHARACTERS = 36
FONTS = Path("/usr/share/fonts/truetype/dejavu")
FONT_NAMES = ["DejaVuSans", "DejaVuSerif", "DejaVuSansMono", "DejaVuSans-Bold",
              "DejaVuSerif-Bold", "DejaVuSansCondensed", "DejaVuSans-Oblique",
              "DejaVuSerifCondensed"]
NUM_CALIBRATION = 32
NUM_EVALUATION = 64
# Of bad photographs: parts of the pixels that are left, one after the other.
KEPT_PIXELS = [1, 0.62, 0.46, 0.37]


def read_lines(name, columns=1):
    """The first words of each sentence; every fourth line is a date and a number."""
    text = Path(__file__).with_name(name).read_text()
    rows = [row.split("\t") for row in text.splitlines()]
    lines = []
    for index, line in enumerate(row[column] for column in range(columns) for row in rows):
        if len(line) > MAX_CHARACTERS:
            line = line[:MAX_CHARACTERS + 1].rsplit(" ", 1)[0]
        if index % 4 == 3:
            date = f"{1 + index % 28:02}/{1 + index % 12:02}/2024"
            line = f"No. {7919 * (index + 1) % 100000:05}, {date}"
        lines.append(line)
    return lines


def render(text, seed):
    """An RGB image of `text` with a look of its own: font, colours, blur, noise."""
    rng = np.random.RandomState(seed)
    font = ImageFont.truetype(str(FONTS / f"{FONT_NAMES[seed % len(FONT_NAMES)]}.ttf"),
                              int(rng.randint(22, 44)), layout_engine=ImageFont.Layout.BASIC)
    left, top, right, bottom = font.getbbox(text)
    margin = rng.randint(3, 9, size=4)
    paper, ink = rng.randint(185, 256, size=3), rng.randint(0, 80, size=3)
    if seed % 5 == 4:
        paper, ink = ink, paper
    image = Image.new("RGB", (int(right - left + margin[0] + margin[1]),
                              int(bottom - top + margin[2] + margin[3])),
                      tuple(int(c) for c in paper))
    ImageDraw.Draw(image).text((int(margin[0] - left), int(margin[2] - top)), text, font=font,
                               fill=tuple(int(c) for c in ink))
    image = image.filter(ImageFilter.GaussianBlur(float(rng.choice([0, 0.5, 0.9]))))
    noisy = np.asarray(image, np.float64) + rng.normal(0, rng.choice([0, 4, 10]),
                                                       (*image.size[::-1], 3))
    return Image.fromarray(np.clip(np.rint(noisy), 0, 255).astype(np.uint8))


def photograph(image, seed):
    """`image` as a bad camera sees it: few pixels, little contrast, noise, JPEG."""
    rng = np.random.RandomState(100000 + seed)
    kept = KEPT_PIXELS[seed // 2 % len(KEPT_PIXELS)]
    if kept < 1:
        image = image.resize((max(1, round(image.width * kept)),
                              max(1, round(image.height * kept))), Image.Resampling.BILINEAR)
    pixels = np.asarray(image, np.float64)
    gray = pixels.mean(axis=(0, 1))
    pixels = gray + (pixels - gray) * rng.uniform(0.3, 0.8)
    pixels += rng.normal(0, rng.uniform(0, 14), pixels.shape)
    stored = io.BytesIO()
    Image.fromarray(np.clip(np.rint(pixels), 0, 255).astype(np.uint8)).save(
        stored, "JPEG", quality=int(rng.randint(25, 60)))
    return Image.open(stored).convert("RGB")


def preprocess(image, width=None):
    """BGR, 48 high, in [-1, 1]; padded with 0 to `width`, else as wide as it comes."""
    scaled = -(-HEIGHT * image.width // image.height)
    scaled = min(scaled, width) if width else scaled
    pixels = np.asarray(image.resize((scaled, HEIGHT), Image.Resampling.BILINEAR), np.float32)
    result = np.zeros((1, 3, HEIGHT, width or scaled), np.float32)
    result[0, :, :, :scaled] = (pixels[:, :, ::-1].transpose(2, 0, 1) / 255 - 0.5) / 0.5
    return result


def make_samples(kind, lines, first_seed, is_hard):
    for index, line in enumerate(lines):
        image = render(line, first_seed + index)
        if is_hard:
            image = photograph(image, first_seed + index)
        if kind == "cls" and index % 2:
            image = image.transpose(Image.Transpose.ROTATE_180)
        yield {INPUT: preprocess(image, CLS_WIDTH if kind == "cls" else None)}


def write_data(kind, out, is_hard=False):
    out = Path(out)
    calibration = read_lines("sentences_calib.txt")
    evaluation = read_lines("sentences_pairs.tsv", columns=2)
    if not is_hard:
        calibration, evaluation = calibration[:NUM_CALIBRATION], evaluation[:NUM_EVALUATION]
    write_samples(out / "calib", make_samples(kind, calibration, 1000, is_hard))
    write_samples(out / "eval", make_samples(kind, evaluation, 0, is_hard))
    labels = evaluation if kind == "rec" else [i % 2 for i in range(len(evaluation))]
    (out / "labels.json").write_text(json.dumps(labels))


def read_characters(model):
    """The characters of the classes of `model`, from its metadata; class 0 is blank."""
    metadata = {p.key: p.value for p in onnx.load(model, load_external_data=False).metadata_props}
    return ["", *metadata["character"].split("\n"), " "]


def decode(probabilities, characters):
    """Greedy CTC: the best class of each step, repetitions and blanks left out."""
    best = probabilities.argmax(axis=-1)
    kept = best[np.concatenate([[True], best[1:] != best[:-1]])]
    return "".join(characters[i] for i in kept)


def read_text(probabilities, characters):
    """The text without the spaces at its ends, which are margins of the image."""
    return decode(probabilities, characters).strip(" ")


def edit_distance(a, b):
    row = list(range(len(b) + 1))
    for i, left in enumerate(a, 1):
        diagonal, row[0] = row[0], i
        for j, right in enumerate(b, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (left != right))
    return row[-1]


def score_rec(model, out, outputs):
    """Edits for each character of the truth, the share of lines without any, and
    the share of CTC steps whose best class is that of the float model.

    Spaces at the ends are left out: they are the margins of the image, of which
    the truth says nothing, and rounding alone makes them come and go. Where the
    lines are easy, only the agreement tells good quantizations apart.
    """
    labels = json.loads((Path(out) / "labels.json").read_text())
    characters = read_characters(model)
    found = read_outputs(outputs, len(labels))
    distances = [edit_distance(read_text(output[0], characters), label)
                 for output, label in zip(found, labels)]
    session = make_session(model)
    same = [output[0].argmax(axis=-1) == session.run(None, sample)[0][0].argmax(axis=-1)
            for output, sample in zip(found, read_samples(Path(out) / "eval"))]
    return {"character_error_rate": sum(distances) / sum(map(len, labels)),
            "exact_lines": float(np.mean(np.array(distances) == 0)),
            "agreement": float(np.mean(np.concatenate(same)))}


def score_cls(out, outputs):
    labels = json.loads((Path(out) / "labels.json").read_text())
    answers = np.concatenate(read_outputs(outputs, len(labels))).argmax(axis=1)
    return {"accuracy": float(np.mean(answers == labels))}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kind", choices=["rec", "cls"])
    parser.add_argument("out")
    parser.add_argument("--hard", action="store_true", help="bad photographs of the lines")
    arguments = parser.parse_args()
    write_data(arguments.kind, arguments.out, arguments.hard)
