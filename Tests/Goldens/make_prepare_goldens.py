"""Makes prepare/prepared.json: what scripts do with a picture before the model's own preprocessing.

    python3 -m venv venv && venv/bin/pip install torch torchvision "pillow<13" numpy opencv-python-headless qwen-vl-utils==0.0.14
    venv/bin/python make_prepare_goldens.py

sizes: [frames of the clip, 0 for a picture, width, height, resized width, resized height] by smart_resize of
qwen_vl_utils with the bounds of its fetch_image and fetch_video. The rest ends in the CRC-32 of the pixels made of
the picture that drawn() draws. jpeg: [width, height, quality, …] after Pillow's save and open, which OpenCV's
imencode must agree with; resize: [width, height, new width, new height, …] by Pillow; picture, frame: [width,
height, new width, new height, …], by Pillow and, for clips of eight, by torchvision.
"""
import io, json, os, random, zlib
import cv2, numpy as np, torch
from PIL import Image
from qwen_vl_utils import vision_process as q
from torchvision import transforms
from torchvision.transforms import InterpolationMode

numbers = random.Random(45)


def drawn(width, height):
    y, x, c = np.mgrid[0:height, 0:width, 0:3]
    return ((x * 7 + y * 3 + c * 50 + (x * y // 8) + (x ^ y) * (c + 1)) & 255).astype(np.uint8)


def crc(pixels):
    return zlib.crc32(np.ascontiguousarray(pixels).tobytes())


def fitted(frames, width, height):
    factor = 28
    if frames == 0:
        least, most = q.IMAGE_MIN_TOKEN_NUM * factor**2, q.IMAGE_MAX_TOKEN_NUM * factor**2
    else:
        least = q.VIDEO_MIN_TOKEN_NUM * factor * factor
        total = q.MODEL_SEQ_LEN * factor * factor * 0.9
        most = max(
            min(q.VIDEO_MAX_TOKEN_NUM * factor * factor, total / frames * q.FRAME_FACTOR), int(least * 1.05)
        )
    high, wide = q.smart_resize(height, width, factor=factor, min_pixels=least, max_pixels=most)
    return wide, high


rows = {"sizes": [], "jpeg": [], "resize": [], "picture": [], "frame": []}
sizes = [(int(np.exp(numbers.uniform(0, 8.3))), int(np.exp(numbers.uniform(0, 8.3)))) for _ in range(400)]
for width, height in sizes + [(256, 256), (1280, 720), (320, 240), (13, 200), (14, 14), (1, 1), (70, 70), (42, 98)]:
    if max(width, height) > 200 * min(width, height):
        continue
    for frames in [0, numbers.choice([4, 8, 20, 64, 302, 400, 768])]:
        wide, high = fitted(frames, width, height)
        if min(wide, high) > 0:
            rows["sizes"].append([frames, width, height, wide, high])
for width, height in [(1, 1), (1, 9), (16, 16), (17, 15), (64, 48), (123, 77)]:
    for quality in [95, 75, 100, 1]:
        pixels = drawn(width, height)
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, format="JPEG", quality=quality)
        again = np.asarray(Image.open(io.BytesIO(file.getvalue())).convert("RGB"))
        _, other = cv2.imencode(".jpg", pixels[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
        assert (np.asarray(Image.open(io.BytesIO(other.tobytes())).convert("RGB")) == again).all()
        rows["jpeg"].append([width, height, quality, crc(again)])
for width, height, wide, high in [(100, 60, 512, 512), (40, 900, 13, 512)]:
    rows["resize"].append(
        [width, height, wide, high, crc(Image.fromarray(drawn(width, height)).resize((wide, high)))]
    )
for width, height in [(100, 60), (90, 256), (13, 200)]:
    wide, high = fitted(0, width, height)
    rows["picture"].append(
        [width, height, wide, high, crc(Image.fromarray(drawn(width, height)).resize((wide, high)))]
    )
for width, height in [(100, 60), (13, 200), (320, 180), (1000, 620)]:
    wide, high = fitted(8, width, height)
    frame = torch.from_numpy(drawn(width, height)).permute(2, 0, 1)[None]
    frame = transforms.functional.resize(
        frame, [high, wide], interpolation=InterpolationMode.BICUBIC, antialias=True
    )
    rows["frame"].append([width, height, wide, high, crc(frame[0].permute(1, 2, 0).numpy())])
path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "prepare", "prepared.json")
with open(path, "w") as file:
    file.write("{\n" + ",\n".join(
        f'"{key}":[\n' + ",\n".join(json.dumps(row, separators=(",", ":")) for row in values) + "]"
        for key, values in rows.items()) + "}\n")
print({key: len(values) for key, values in rows.items()})
