"""Makes Tests/Goldens/video/sampling.json: which frames of a video the UnifiedReward scripts show.

    pip install numpy torch torchvision qwen-vl-utils==0.0.14
    python Tests/Goldens/make_sampling_goldens.py

Each case is [rule, most frames, frames of the video, frames a second, indices]:
`linspace` is numpy.linspace with an integer type (the scripts of v1), `segments` is int(i * n / N) (those of
2.0), `fps` is smart_nframes and torch.linspace of qwen_vl_utils, with `max_frames`.
"""

import json
import pathlib
import random

import numpy
import torch
from qwen_vl_utils.vision_process import smart_nframes

random.seed(20250305)


def linspace(total, count, _):
    return numpy.linspace(0, total - 1, count, dtype=int).tolist()


def segments(total, count, _):
    return [int(i * total / count) for i in range(count)]


def fps(total, count, rate):
    frames = smart_nframes({"max_frames": count}, total, rate)
    return torch.linspace(0, total - 1, frames).round().long().tolist()


def main():
    rates = [1.0, 7.5, 8.0, 10.0, 12.0, 15.0, 24000 / 1001, 24.0, 25.0, 30000 / 1001, 30.0, 59.94, 60.0]
    cases = []
    for rule in (linspace, segments, fps):
        for _ in range(80):
            count = random.choice([2, 3, 4, 7, 8, 8, 8, 16, 16, 32, 63, 64])
            largest = random.choice([20, 100, 300, 1000, 20000, 200000])
            total = random.randint(2 if rule is fps else count, max(count, largest))
            rate = random.choice(rates)
            cases.append([rule.__name__, count, total, rate, rule(total, count, rate)])
    # Ties, which torch rounds to even.
    for total in (4, 6, 11, 16, 22, 46, 96):
        cases.append(["fps", 64, total, 8.0, fps(total, 64, 8.0)])
    path = pathlib.Path(__file__).parent / "video" / "sampling.json"
    path.write_text("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")
    print(len(cases), "cases")


if __name__ == "__main__":
    main()
