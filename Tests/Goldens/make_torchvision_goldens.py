"""Makes preprocess/torchvision.safetensors: what torchvision gives for frames of a video.

    python3 -m venv venv && venv/bin/pip install torch torchvision pillow numpy safetensors
    venv/bin/python make_torchvision_goldens.py

out_K [oh,ow,3]: input in_K of resize.safetensors resized as a tensor of bytes (bicubic, antialias) to the size
that Pillow's golden has; pictures one pixel wide or high are left out, torch 2.13 refuses them. frame_N [h,w,3]: decoded frames of media/. frame_resized, frame_normalized: the first
of them at 28 x 28, and its values by the fused normalisation of transformers' video processors
(video_processing_utils.py: rescale_and_normalize), mean and deviation CLIP's.
"""
import os
import numpy as np, torch, torchvision
from PIL import Image
from safetensors.numpy import load_file, save_file
from torchvision.transforms import InterpolationMode
from torchvision.transforms.v2 import functional

goldens = os.path.dirname(os.path.abspath(__file__))
MEAN, STD = [0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]


def resize(image, height, width):
    tensor = torch.from_numpy(image).permute(2, 0, 1).contiguous()
    return functional.resize(tensor, [height, width], interpolation=InterpolationMode.BICUBIC, antialias=True)


pillow = load_file(os.path.join(goldens, "preprocess", "resize.safetensors"))
tensors = {}
for name in sorted(pillow):
    source = pillow["in_" + name[-2:]]
    if name.startswith("out_") and min(*source.shape[:2], *pillow[name].shape[:2]) > 1:
        out = resize(source, *pillow[name].shape[:2])
        tensors[name] = np.ascontiguousarray(out.permute(1, 2, 0).numpy())
for index in (0, 4):
    picture = Image.open(os.path.join(goldens, "media", f"frame_{index}_128x96.png")).convert("RGB")
    tensors[f"frame_{index}"] = np.array(picture)
resized = resize(tensors["frame_0"], 28, 28)
tensors["frame_resized"] = np.ascontiguousarray(resized.permute(1, 2, 0).numpy())
mean, std = (torch.tensor(values) * (1.0 / (1 / 255)) for values in (MEAN, STD))
values = functional.normalize(resized.to(torch.float32), mean.tolist(), std.tolist())
tensors["frame_normalized"] = np.ascontiguousarray(values.numpy())
save_file(tensors, os.path.join(goldens, "preprocess", "torchvision.safetensors"))
unequal = sum(int((tensors[n] != pillow[n]).sum()) for n in tensors if n.startswith("out_"))
print(torch.__version__, torchvision.__version__, "bytes that differ from Pillow:", unequal)
