"""Makes preprocess/: what Pillow and the reference's formulas give for resizing and tiling.

    python3 -m venv venv && venv/bin/pip install "pillow<13" numpy safetensors
    venv/bin/python make_preprocess_goldens.py

Pillow 13 resizes differently (it sometimes runs the vertical pass first); the goldens are Pillow 12's.
resize.safetensors: in_K [h,w,3] and out_K [oh,ow,3], bytes. grid.json: canvas and resized size per picture
size for real pinpoints. tiles.safetensors: image [h,w,3], anyres/padded/squashed tiles, normalised values.
"""
import json, math, os
import numpy as np, PIL
from PIL import Image
from safetensors.numpy import save_file

assert int(PIL.__version__.split(".")[0]) < 13, PIL.__version__
here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "preprocess")
os.makedirs(here, exist_ok=True)
rng = np.random.default_rng(20)

# (h, w) -> (oh, ow): shrinking, growing, one side kept, identity, one-pixel sides, and the special case of
# pictures more than 100 times as tall as wide (vertical pass first, by a call of its own).
cases = [
    (37, 23, 56, 28), (64, 97, 28, 28), (61, 43, 61, 20), (61, 43, 20, 43), (9, 200, 28, 28), (50, 50, 96, 96),
    (33, 47, 33, 47), (120, 90, 40, 30), (1, 1, 5, 7), (1, 64, 20, 20), (64, 1, 20, 20), (101, 1, 28, 28),
    (505, 4, 60, 33), (301, 3, 302, 9), (301, 3, 9, 1), (3, 301, 9, 5), (17, 19, 1, 1), (40, 30, 1, 60),
    (70, 68, 33, 35), (2, 2, 64, 3), (300, 5, 299, 5), (95, 130, 94, 131),
]
tensors = {}
for index, (h, w, oh, ow) in enumerate(cases):
    image = rng.integers(0, 256, (h, w, 3), dtype=np.uint8)
    if index % 3 == 1:
        image = np.where(image > 127, 255, 0).astype(np.uint8)   # extremes: overshoot must clamp
    if index % 3 == 2:
        image = np.sort(image, axis=1)
    tensors[f"in_{index:02}"] = image
    tensors[f"out_{index:02}"] = np.array(Image.fromarray(image).resize((ow, oh), Image.BICUBIC))
save_file(tensors, os.path.join(here, "resize.safetensors"))


def select_best(height, width, pinpoints):
    best, most, least = None, 0, float("inf")
    for h, w in pinpoints:
        scale = min(w / width, h / height)
        effective = min(int(width * scale) * int(height * scale), width * height)
        waste = w * h - effective
        if effective > most or (effective == most and waste < least):
            best, most, least = (h, w), effective, waste
    return best


def resized(height, width, best):
    th, tw = best
    if tw / width < th / height:
        return min(math.ceil(height * (tw / width)), th), tw
    return th, min(math.ceil(width * (th / height)), tw)


def grid_of(side):
    return [(i * side, j * side) for i in range(1, 7) for j in range(1, 7)]


sizes = [(512, 512), (1024, 1024), (768, 1344), (1344, 768), (384, 384), (100, 100), (1, 1), (10, 2000), (27, 5400),
         (4000, 6000), (8192, 8192), (336, 1000), (1080, 1920), (720, 1280), (97, 61), (30, 3000), (385, 384),
         (384, 385), (1, 65535), (65535, 1), (7000, 7001), (2305, 2304), (576, 577)]
sizes += [tuple(int(v) for v in rng.integers(1, 3000, 2)) for _ in range(300)]
rows = []
for h, w in sizes:
    for side in (384, 104):
        best = select_best(h, w, grid_of(side))
        rows.append([side, h, w, *best, *resized(h, w, best)])
with open(os.path.join(here, "grid.json"), "w") as file:
    file.write("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n")

side, mean, std = 28, [0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]
image = rng.integers(0, 256, (45, 70, 3), dtype=np.uint8)
picture = Image.fromarray(image)
best = select_best(45, 70, grid_of(side))
nh, nw = resized(45, 70, best)
canvas = Image.new("RGB", (best[1], best[0]), (0, 0, 0))
canvas.paste(picture.resize((nw, nh), Image.BICUBIC), ((best[1] - nw) // 2, (best[0] - nh) // 2))
canvas = np.array(canvas)
squashed = np.array(picture.resize((side, side), Image.BICUBIC))
anyres = [squashed] + [canvas[i:i + side, j:j + side] for i in range(0, best[0], side)
                       for j in range(0, best[1], side)]
square = Image.new("RGB", (70, 70), tuple(int(v * 255) for v in mean))
square.paste(picture, (0, (70 - 45) // 2))
padded = np.array(square.resize((side, side), Image.BICUBIC))
scaled = (padded.astype(np.float64) * (1 / 255)).astype(np.float32)
normalized = ((scaled - np.array(mean, np.float32)) / np.array(std, np.float32)).transpose(2, 0, 1)
save_file({"image": image, "anyres": np.stack(anyres), "padded": padded[None], "squashed": squashed[None],
           "padded_normalized": np.ascontiguousarray(normalized)[None]}, os.path.join(here, "tiles.safetensors"))

# The decoded pictures of media/, so that the tiling tests need no decoder.
media = os.path.join(os.path.dirname(here), "media")
names = ["grad_230x150.png", "tall_61x187.png", "square_96x96.png"]
save_file({n: np.array(Image.open(os.path.join(media, n)).convert("RGB")) for n in names},
          os.path.join(here, "pictures.safetensors"))
print(PIL.__version__, {f: os.path.getsize(os.path.join(here, f)) for f in sorted(os.listdir(here))})
