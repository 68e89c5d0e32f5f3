#!/usr/bin/env python3
"""Talks with a compiled decoder whose cache the model keeps itself.

    qopt-compile model.onnx -o model.so --preset w4a8-g32
    examples/chat.py model.so --tokenizer tokenizer.json --prompt "What is a prime?"

Without --prompt it reads lines, and what was said stays in the cache. Prints tokens
as they come, then how many a second: those of the prompt apart from those that were
made. Needs the package `tokenizers`. The model takes input_ids, and what else it
takes of attention_mask and position_ids; it gives logits.
"""

import argparse
import sys
import time

import numpy as np
import qopt

TURN = "<|im_start|>{role}\n{text}<|im_end|>\n"
ANSWER = "<|im_start|>assistant\n"


class Decoder:
    """A compiled decoder that keeps its states."""

    def __init__(self, path, threads, capacity):
        self.module = qopt.load(path, threads)
        self.module.bind_states(capacity)
        self.names = {value.name for value in self.module.inputs}

    def feed(self, tokens):
        """Logits of what follows `tokens`, which follow what was fed before."""
        start, count = self.module.state_length, len(tokens)
        inputs = {
            "input_ids": np.array([tokens], np.int64),
            "attention_mask": np.ones((1, start + count), np.int64),
            "position_ids": np.arange(start, start + count)[None]}
        outputs = self.module.run({name: array for name, array in inputs.items()
                                   if name in self.names})
        return outputs["logits"][0, -1]


def choose(logits, temperature, top_k, random):
    """The next token: the likeliest one, or one of the likeliest by their shares."""
    if temperature == 0:
        return int(np.argmax(logits))
    likeliest = np.argpartition(logits, -top_k)[-top_k:]
    scores = logits[likeliest].astype(np.float64) / temperature
    shares = np.exp(scores - scores.max())
    return int(random.choice(likeliest, p=shares / shares.sum()))


class Text:
    """The text of tokens that come one by one: a character may take several."""

    def __init__(self, tokenizer):
        self.tokenizer = tokenizer
        self.tokens = []
        self.shown = ""

    def add(self, token):
        """What is new to show."""
        self.tokens.append(token)
        text = self.tokenizer.decode(self.tokens).rstrip("\N{REPLACEMENT CHARACTER}")
        new = text[len(self.shown):]
        self.shown += new
        return new


def answer(decoder, tokenizer, tokens, stops, options, random):
    """Prints what follows `tokens`; what the prompt and the answer took."""
    start = time.perf_counter()
    logits = decoder.feed(tokens)
    prompt = time.perf_counter() - start
    text, made = Text(tokenizer), 0
    start = time.perf_counter()
    while made < options.tokens:
        token = choose(logits, options.temperature, options.top_k, random)
        made += 1
        if token in stops:
            break
        print(text.add(token), end="", flush=True)
        logits = decoder.feed([token])
    spent = time.perf_counter() - start
    print(f"\n[prompt: {len(tokens)} tokens, {len(tokens) / prompt:.1f} a second; "
          f"answer: {made} tokens, {made / spent:.1f} a second]", file=sys.stderr)


def read_lines():
    while True:
        try:
            yield input("> ")
        except EOFError:
            return


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", help="a compiled model")
    parser.add_argument("--tokenizer", required=True, metavar="tokenizer.json")
    parser.add_argument("--prompt", help="one question; without it lines are read")
    parser.add_argument("--raw", action="store_true",
                        help="go on from the text as it is, without turns of a talk")
    parser.add_argument("--tokens", type=int, default=256, help="most tokens of an answer")
    parser.add_argument("--capacity", type=int, default=2048, help="most tokens of a talk")
    parser.add_argument("--temperature", type=float, default=0,
                        help="0 takes the likeliest token")
    parser.add_argument("--top-k", type=int, default=40,
                        help="with a temperature: how many tokens are drawn from")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=0, help="0: one for each CPU")
    options = parser.parse_args()
    from tokenizers import Tokenizer
    tokenizer = Tokenizer.from_file(options.tokenizer)
    stops = {tokenizer.token_to_id(name) for name in ("<|im_end|>", "<|endoftext|>")}
    try:
        decoder = Decoder(options.model, options.threads, options.capacity)
        random = np.random.default_rng(options.seed)
        for line in [options.prompt] if options.prompt else read_lines():
            text = line if options.raw else (
                TURN.format(role="user", text=line) + ANSWER)
            answer(decoder, tokenizer, tokenizer.encode(text).ids, stops, options, random)
    except (qopt.Error, OSError) as error:
        sys.exit(f"chat.py: {error}")


if __name__ == "__main__":
    main()
