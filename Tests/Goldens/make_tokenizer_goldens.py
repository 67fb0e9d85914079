#!/usr/bin/env python3
"""Makes tokenizer_cases.json: random Unicode text cut and encoded by Hugging Face `tokenizers`.

    python3 -m venv venv && venv/bin/pip install tokenizers==0.23.3
    venv/bin/python make_tokenizer_goldens.py [COUNT [SEED [OUTPUT]]]

Each case: the text, the UTF-8 length of every pre-tokeniser piece of its composed form, its ids.
Each decoding: random ids, single bytes among them, and the text they decode to. Texts whose composed
form differs from Python's own are left out: the library's tables are older (Unicode 13) and do not
know the combining marks of U+1AC1 to U+1ACE, for example (3 of 20,000 texts).
"""
import json
import random
import sys
import unicodedata
from pathlib import Path

from tokenizers import Tokenizer

HERE = Path(__file__).resolve().parent
ALPHABETS = [
    "abcxyzABCSTEL", " ", "  \t", "\n\r", "0123456789", "'", "''s't're've'm'll'd'S'LL'Ve\u017f\u212a",
    ".,;:!?-_()[]{}<>|/\\\"@#$%^&*+=~`", "\u00e9\u00fc\u00df\u0142\u0131\u0130\u01c5\u02b0\u00aa\u00ba",
    "\u0301\u0300\u0308\u0327\u20dd\u093e\u3099\ufe0f", "\u4e2d\u6587\u8bc4\u5206\u3002\uff0c\u3053\u308c\u30ac\uac00\u1100\u1161\u11a8",
    "\u0430\u0431\u0432\u0413\u03b1\u03a9\u05d0\u05d1\u0627\u0628\u0e01\u0e02\u0915\u093f", "\u0660\u0663\u0966\u0967\u09e6\uff11\u00bd\u00b2\u2167\u3007\u2460\U0001d7d8",
    "\u0085\u00a0\u1680\u2000\u2009\u200a\u2028\u2029\u202f\u205f\u3000\u180e", "\x00\x01\x0b\x0c\x1b\x1c\x1f\x7f\u200b\u200d\u2060\ufeff\u00ad",
    "\U0001f600\U0001f469\u200d\U0001f4bb\U0001f1e9\U0001f1ea\u2764\ufe0f", "\U00010400\U00020000\U0001d400\U000e0041\ue000\ufffd\uffff",
    "\u0340\u0344\u0958\u212b\u2126\u1e9b\u0323\ufb01\ufb1d\U0001d15e",
]
WORDS = ["the image", " is better", "Final Score: ", "it's", " you'LL", "<|im_end|>", "<image>", "\r\n", "\n\n  ", "  x", "3.14", "\u8bc4\u5206"]


def scalar(rng):
    while True:
        code = rng.choice([rng.randrange(0x80), rng.randrange(0x3000), rng.randrange(0x110000)])
        if not 0xD800 <= code < 0xE000 and unicodedata.category(chr(code)) != "Cn":
            return chr(code)


def text(rng):
    out = []
    for _ in range(rng.randrange(1, 12)):
        kind = rng.random()
        if kind < 0.2:
            out.append(rng.choice(WORDS))
        elif kind < 0.3:
            out.append(scalar(rng))
        else:
            alphabet = rng.choice(ALPHABETS)
            out.append("".join(rng.choice(alphabet) for _ in range(rng.randrange(1, 5))))
    return "".join(out)


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    rng = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 20)
    output = Path(sys.argv[3]) if len(sys.argv) > 3 else HERE / "tokenizer_cases.json"
    tokenizer = Tokenizer.from_file(str(HERE / "llava_ov/hf-bf16/tokenizer.json"))
    cases = []
    while len(cases) < count:
        case = text(rng)
        composed = tokenizer.normalizer.normalize_str(case)
        if composed != unicodedata.normalize("NFC", case):
            continue
        pieces = [p for p, _ in tokenizer.pre_tokenizer.pre_tokenize_str(composed)]
        # One character of a byte-level piece is one byte.
        cases.append({"text": case, "pieces": [len(p) for p in pieces], "ids": tokenizer.encode(case).ids})
    decodings = []
    single = [i for i in range(256)]  # the tiny vocabulary's first 256 tokens are the bytes
    for _ in range(count):
        ids = [rng.choice(single) if rng.random() < 0.8 else rng.randrange(tokenizer.get_vocab_size()) for _ in range(rng.randrange(1, 16))]
        decodings.append({"ids": ids, "text": tokenizer.decode(ids, skip_special_tokens=False)})
    # One case a line keeps differences readable.
    lines = lambda rows: "[\n" + ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows) + "\n]"
    output.write_text('{"cases": ' + lines(cases) + ',\n"decodings": ' + lines(decodings) + "}\n")


main()
