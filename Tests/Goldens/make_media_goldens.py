"""Makes decoding/ (one small file of every still format and its pixels) and hostile/pillow.json.

    python3 -m venv venv && venv/bin/pip install "pillow<13" numpy safetensors
    venv/bin/python make_media_goldens.py        # also needs cjpeg (libjpeg-turbo-progs)

decoding/decoded.safetensors: file name -> what Image.open(file).convert("RGB") gives, bytes [h,w,3].
hostile/pillow.json: file name -> [width, height, CRC-32 of the RGB bytes], or null where Pillow refuses.
The hostile files themselves are kept as they are, not made here.
"""
import io, json, os, struct, subprocess, warnings, zlib
import numpy as np, PIL
from PIL import Image
from safetensors.numpy import save_file

assert int(PIL.__version__.split(".")[0]) < 13, PIL.__version__
warnings.simplefilter("ignore")
root = os.path.dirname(os.path.abspath(__file__))
here = os.path.join(root, "decoding")
os.makedirs(here, exist_ok=True)
rng = np.random.default_rng(7)
W, H = 45, 31

# A picture with edges, ramps and noise, so that chroma up-sampling and overshoot show.
y, x = np.mgrid[0:H, 0:W]
rgb = np.stack([x * 255 // (W - 1), y * 255 // (H - 1), (x * 7 + y * 13) % 256], -1).astype(np.uint8)
rgb[8:20, 10:24] = [230, 20, 40]
rgb[15:28, 20:40:2] = [10, 220, 250]
rgb[2:9, 30:44] = rng.integers(0, 256, (7, 14, 3))
alpha = ((x + y) * 255 // (W + H - 2)).astype(np.uint8)
picture = Image.fromarray(rgb)
rgba = Image.fromarray(np.dstack([rgb, alpha]))


def put(name, data):
    with open(os.path.join(here, name), "wb") as file:
        file.write(data)


def saved(image, format, **options):
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def cjpeg(*options, image=picture):
    return subprocess.run(["cjpeg", *options], input=saved(image, "PPM"), capture_output=True, check=True).stdout


put("j444.jpg", saved(picture, "JPEG", quality=92, subsampling=0))
put("j422.jpg", saved(picture, "JPEG", quality=85, subsampling=1))
put("j420.jpg", saved(picture, "JPEG", quality=75, subsampling=2))
put("j420_progressive.jpg", saved(picture, "JPEG", quality=80, subsampling=2, progressive=True))
put("j440.jpg", cjpeg("-quality", "80", "-sample", "1x2"))
put("j411.jpg", cjpeg("-quality", "80", "-sample", "4x1"))
put("jrestart.jpg", cjpeg("-quality", "80", "-restart", "1"))
put("jarithmetic.jpg", cjpeg("-quality", "80", "-arithmetic"))
put("jlow.jpg", cjpeg("-quality", "3", "-baseline"))
put("jrgb.jpg", cjpeg("-quality", "90", "-rgb"))
put("jgray.jpg", saved(picture.convert("L"), "JPEG", quality=85))
put("jgray_progressive.jpg", saved(picture.convert("L"), "JPEG", quality=85, progressive=True))
put("jcmyk.jpg", saved(picture.convert("CMYK"), "JPEG", quality=90))
exif = Image.Exif()
exif[0x0112] = 6
put("jexif_rotated.jpg", saved(picture, "JPEG", quality=85, exif=exif))
put("jtrailing.jpg", saved(picture, "JPEG", quality=85) + b"PK\x03\x04 something after the end")


# PNG by hand: every colour type and depth, with the ancillary chunks that tempt decoders.
def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}


def packed(samples, depth):  # [rows, columns, channels] integers -> filtered scanlines
    out = b""
    for row in samples.reshape(samples.shape[0], -1):
        if depth == 16:
            line = row.astype(">u2").tobytes()
        elif depth == 8:
            line = row.astype(np.uint8).tobytes()
        else:
            bits = ((row[:, None] >> np.arange(depth - 1, -1, -1)) & 1).astype(np.uint8).ravel()
            line = np.packbits(bits).tobytes()
        out += b"\0" + line
    return out


def png(samples, depth, colour, before=b"", palette=None, transparency=None, interlaced=False):
    h, w = samples.shape[:2]
    if interlaced:
        data = b"".join(
            packed(part, depth) for y0, x0, dy, dx in
            ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))
            if (part := samples[y0::dy, x0::dx]).size)
    else:
        data = packed(samples, depth)
    out = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", w, h, depth, colour, 0, 0, int(interlaced)))
    out += before + (chunk(b"PLTE", palette) if palette else b"")
    out += chunk(b"tRNS", transparency) if transparency else b""
    return out + chunk(b"IDAT", zlib.compress(data, 9)) + chunk(b"IEND", b"")


def samples_of(colour, depth):
    if colour == 3:
        return (x * 5 + y * 3)[..., None] % (1 << depth)
    base = {0: rgb[..., 1:2], 2: rgb, 4: np.dstack([rgb[..., 1], alpha]), 6: np.dstack([rgb, alpha])}[colour]
    if depth == 16:
        wide = base.astype(int) * 257 + (np.arange(base.size).reshape(base.shape) * 37) % 257 - 128
        wide = np.clip(wide, 0, 65535)
        if colour == 0:
            wide[::2] = wide[::2] // 300      # some below 255: Pillow clips 16-bit gray, it does not scale it
        return wide
    return base.astype(int) >> (8 - depth)


for colour, depths in {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}.items():
    name = {0: "gray", 2: "rgb", 3: "palette", 4: "grayalpha", 6: "rgba"}[colour]
    for depth in depths:
        samples = samples_of(colour, depth)
        palette = rng.integers(0, 256, 3 << depth, dtype=np.uint8).tobytes() if colour == 3 else None
        put(f"{name}{depth}.png", png(samples, depth, colour, palette=palette))
        put(f"{name}{depth}_interlaced.png", png(samples, depth, colour, palette=palette, interlaced=True))
        bits = bytes([max(1, (8 if colour == 3 else depth) // 2 + 1)] * {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}[colour])
        extra = chunk(b"gAMA", struct.pack(">I", 100000)) + chunk(b"sBIT", bits) + chunk(b"tEXt", b"Title\0x")
        transparency = {0: b"\0\1", 2: b"\0\1\0\2\0\3", 3: b"\0\x80"}.get(colour)
        put(f"{name}{depth}_extras.png",
            png(samples, depth, colour, extra, palette=palette, transparency=transparency))
put("animated.png", saved(picture, "PNG", save_all=True, append_images=[picture.rotate(180)], duration=100))

put("lossy.webp", saved(picture, "WEBP", quality=80))
put("lossy_low.webp", saved(picture, "WEBP", quality=5))
put("lossless.webp", saved(picture, "WEBP", lossless=True))
put("lossy_alpha.webp", saved(rgba, "WEBP", quality=80))
put("lossless_alpha.webp", saved(rgba, "WEBP", lossless=True, exact=True))
put("exif.webp", saved(picture, "WEBP", quality=80, exif=exif))

decoded = {}
for name in sorted(os.listdir(here)):
    if name.endswith((".jpg", ".png", ".webp")):
        decoded[name] = np.array(Image.open(os.path.join(here, name)).convert("RGB"))
save_file(decoded, os.path.join(here, "decoded.safetensors"))
os.makedirs(os.path.join(here, "refused"), exist_ok=True)
put("refused/animated.webp", saved(picture, "WEBP", save_all=True, append_images=[picture.rotate(180)], duration=100))
put("refused/still.tiff", saved(picture.crop((0, 0, 8, 8)), "TIFF"))

Image.MAX_IMAGE_PIXELS = None
hostile = os.path.join(root, "hostile")
answers = {}
for name in sorted(os.listdir(hostile)):
    if name == "pillow.json":
        continue
    try:
        with open(os.path.join(hostile, name), "rb") as file:
            image = Image.open(file)
            if image.format not in ("JPEG", "PNG", "WEBP", "MPO", "GIF", "BMP") or image.size[0] * image.size[1] > 50_000_000:
                raise ValueError("not decoded here")
            pixels = np.array(image.convert("RGB"))
            answers[name] = [image.size[0], image.size[1], zlib.crc32(pixels.tobytes())]
    except Exception:
        answers[name] = None
with open(os.path.join(hostile, "pillow.json"), "w") as file:
    file.write("{\n" + ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in answers.items()) + "\n}\n")
print(PIL.__version__, len(decoded), "files", sum(os.path.getsize(os.path.join(here, n)) for n in os.listdir(here)))
