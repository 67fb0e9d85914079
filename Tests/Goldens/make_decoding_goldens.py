"""Makes Tests/Goldens/sampling/decoding.json: which tokens Hugging Face's logits processors leave, and how probable.

    pip install torch transformers
    python Tests/Goldens/make_decoding_goldens.py

Each case is run through RepetitionPenaltyLogitsProcessor, TemperatureLogitsWarper, TopKLogitsWarper and
TopPLogitsWarper in the order of `generate`, in single precision. Logits are multiples of 1/64, so that both sides
start from the same numbers; some of them are equal. `probabilities` is the softmax in double precision of what is
left, by token. `greedy` is the most probable token after the penalty alone.
"""

import json
import pathlib
import random

import torch
import transformers
from transformers.generation.logits_process import (
    LogitsProcessorList,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

random.seed(20250305)


def case(size, spread, penalty, temperature, top_k, top_p, context):
    logits = [round(random.gauss(0, spread) * 64) / 64 for _ in range(size)]
    seen = [random.randrange(size) for _ in range(context)]
    if seen:
        logits[seen[0]] = max(logits) + 1 / 64
    ids = torch.tensor([seen], dtype=torch.long)
    scores = torch.tensor([logits], dtype=torch.float32)
    processors = LogitsProcessorList()
    if penalty != 1:
        processors.append(RepetitionPenaltyLogitsProcessor(penalty=penalty))
        scores_after = processors(ids, scores.clone())
    else:
        scores_after = scores.clone()
    greedy = int(scores_after.argmax())
    processors = LogitsProcessorList()
    if temperature != 1:
        processors.append(TemperatureLogitsWarper(temperature))
    if top_k:
        processors.append(TopKLogitsWarper(top_k=top_k))
    if top_p < 1:
        processors.append(TopPLogitsWarper(top_p=top_p))
    left = processors(ids, scores_after.clone())[0]
    kept_scores = scores_after[0][left > -float("inf")]
    if top_p < 1 and (scores_after[0] == kept_scores.min()).sum() > (kept_scores == kept_scores.min()).sum():
        # Which of equal tokens goes is torch's accident.
        return case(size, spread, penalty, temperature, top_k, top_p, context)
    probabilities = torch.softmax(left.double(), dim=0)
    kept = {str(i): float(probabilities[i]) for i in range(size) if probabilities[i] > 0}
    return {
        "logits": logits,
        "context": seen,
        "repetition_penalty": penalty,
        "temperature": temperature,
        "top_k": top_k,
        "top_p": top_p,
        "greedy": greedy,
        "probabilities": kept,
    }


def main():
    cases = []
    for penalty in (1.0, 1.05, 1.1, 1.5, 0.8):
        for temperature in (0.2, 0.7, 1.0, 2.0):
            for top_k, top_p in ((0, 1), (5, 1), (0, 0.9), (0, 0.3), (20, 0.8), (0, 0.01)):
                context = 0 if penalty == 1 else random.choice([1, 8, 20])
                cases.append(case(48, random.choice([0.5, 2, 4]), penalty, temperature, top_k, top_p, context))
    folder = pathlib.Path(__file__).parent / "sampling"
    document = {"transformers": transformers.__version__, "torch": torch.__version__, "cases": cases}
    (folder / "decoding.json").write_text(json.dumps(document, separators=(",", ":")) + "\n")
    print(len(cases), "cases")


main()
