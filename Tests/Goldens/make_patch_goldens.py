"""Makes preprocess/patches.json and preprocess/patches.safetensors: sizes and patches of the Qwen-VL processors.

    python3 -m venv venv && venv/bin/pip install torch torchvision "transformers==4.57.6" "pillow<13" numpy safetensors
    venv/bin/python make_patch_goldens.py

image, clip25: [height, width, factor, least, most, resized height, resized width] by smart_resize of
image_processing_qwen2_vl.py; clip3 has the number of frames in front, by that of video_processing_qwen3_vl.py.
words: [seconds, text] by Python's format. K_in [h,w,3] are made-up pictures; K_pillow and K_torchvision the
pixel values that the slow and the fast processor make of them, K_clip those of the Qwen3-VL video processor for
the picture and its mirror image, each a sample of SAMPLES values at the indices of K_*_index.
"""
import json, os, random, sys
import numpy as np, torch, torchvision
from PIL import Image
from safetensors.numpy import save_file
from transformers import Qwen2VLImageProcessor, Qwen2VLImageProcessorFast
from transformers.models.qwen2_vl.image_processing_qwen2_vl import smart_resize
from transformers.models.qwen3_vl.video_processing_qwen3_vl import Qwen3VLVideoProcessor
from transformers.models.qwen3_vl.video_processing_qwen3_vl import smart_resize as smart_resize_clip

SAMPLES = 1024
folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "preprocess")
numbers = random.Random(20)


def sizes(count, smallest):
    for _ in range(count):
        height = int(np.exp(numbers.uniform(np.log(smallest), np.log(4000))))
        ratio = np.exp(numbers.uniform(np.log(1 / 8), np.log(8)))
        yield height, max(smallest, min(int(height * ratio), 8000))


rows = {"image": [], "clip25": [], "clip3": [], "words": []}
bounds = [(28, 3136, 12845056), (28, 3136, 1003520), (32, 65536, 16777216), (32, 4096, 81920)]
for height, width in list(sizes(300, 1)) + [(1, 200), (14, 14), (70, 70), (42, 98), (200, 1), (512, 512)]:
    if max(height, width) <= 200 * min(height, width):
        factor, least, most = numbers.choice(bounds)
        rows["image"].append([height, width, factor, least, most, *smart_resize(height, width, factor, least, most)])
for height, width in sizes(60, 1):
    low, high = 128 * 28 * 28, 768 * 28 * 28
    if max(height, width) <= 200 * min(height, width):
        rows["clip25"].append([height, width, 28, low, high, *smart_resize(height, width, 28, low, high)])
for height, width in sizes(120, 32):
    frames = numbers.randint(2, 64)
    out = smart_resize_clip(frames, height, width, 2, 32, 4096, 25165824)
    rows["clip3"].append([frames, height, width, 32, 4096, 25165824, *out])
times = [0.25, 0.75, 0.05, 0.15, 0.35, 1.25, 2.5, 0.0, 1 / 3, 0.95, 9.95, 99.95, 1234.05]
rows["words"] = [[t, f"{t:.1f}"] for t in times + [numbers.uniform(0, 600) for _ in range(60)]]
rows["words"] += [[t, f"{t:.1f}"] for t in (numbers.randint(0, 4000) / 40 for _ in range(120))]

tensors = {}
for index, (height, width) in enumerate([(90, 61), (33, 300), (210, 205), (17, 40)]):
    picture = np.random.default_rng(index).integers(0, 256, (height, width, 3), dtype=np.uint8)
    tensors[f"{index}_in"] = picture
    image = Image.fromarray(picture)
    common = dict(image_mean=[0.48145466, 0.4578275, 0.40821073], image_std=[0.26862954, 0.26130258, 0.27577711])
    slow = Qwen2VLImageProcessor(min_pixels=3136, max_pixels=50176, **common)(image, return_tensors="np")
    fast = Qwen2VLImageProcessorFast(size=dict(shortest_edge=4096, longest_edge=65536), patch_size=16,
                                     image_mean=[0.5] * 3, image_std=[0.5] * 3)(image, return_tensors="pt")
    found = {"pillow": slow["pixel_values"], "torchvision": fast["pixel_values"].numpy()}
    if min(height, width) >= 32:
        frames = torch.from_numpy(np.stack([picture, picture[:, ::-1]])).permute(0, 3, 1, 2).contiguous()
        clip = Qwen3VLVideoProcessor(size=dict(shortest_edge=4096, longest_edge=65536))
        values = clip([frames], do_sample_frames=False, return_tensors="pt")
        found["clip"] = values["pixel_values_videos"].numpy()
    for name, values in found.items():
        flat = values.astype(np.float32).reshape(-1)
        chosen = np.sort(np.random.default_rng(7).choice(flat.size, SAMPLES, replace=False)).astype(np.int64)
        tensors[f"{index}_{name}"] = flat[chosen]
        tensors[f"{index}_{name}_index"] = chosen
        tensors[f"{index}_{name}_count"] = np.array([flat.size], np.int64)
with open(os.path.join(folder, "patches.json"), "w") as file:
    json.dump(rows, file, separators=(",", ":"))
    file.write("\n")
save_file(tensors, os.path.join(folder, "patches.safetensors"))
print(torch.__version__, torchvision.__version__, sys.version.split()[0], {k: len(v) for k, v in rows.items()})
