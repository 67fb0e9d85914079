"""Makes the GIF and BMP files of decoding/, what Pillow makes of them, and their part of hostile/pillow.json.

    python3 -m venv venv && venv/bin/pip install "pillow<13" numpy
    venv/bin/python make_gif_bmp_goldens.py

decoding/gif_bmp.json: file name -> [width, height, CRC-32 of the RGB bytes of Image.open(f).convert("RGB")].
decoding/refused/: layouts that the decoder programs and Pillow read differently.
"""

import io
import json
import pathlib
import struct
import warnings
import zlib

import numpy
from PIL import Image

warnings.simplefilter("ignore")
ROOT = pathlib.Path(__file__).parent
FOLDER = ROOT / "decoding"
W, H = 45, 31
rng = numpy.random.default_rng(11)
y, x = numpy.mgrid[0:H, 0:W]
rgb = numpy.stack([x * 5 % 256, y * 8 % 256, (x + y) * 7 % 256], -1).astype(numpy.uint8)
noise = rng.integers(0, 256, (H, W, 3), dtype=numpy.uint8)
indices = rng.integers(0, 256, (H, W)).astype(numpy.uint8)
smooth = Image.fromarray(rgb).quantize(64)
black = Image.fromarray((noise[..., 0] > 128).astype(numpy.uint8) * 255).convert("1")


def saved(image, form, **options):
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def put(name, data):
    (FOLDER / name).write_bytes(data)


def rows(samples):
    return b"".join(row.tobytes() + bytes(-row.nbytes % 4) for row in samples[::-1])


def bmp(bits, coding, data, palette=b"", height=H, extra=b"", header=40):
    fields = struct.pack("<IiiHHIIiiII", header, W, height, 1, bits, coding, len(data), 2835, 2835,
                         len(palette) // 4, 0) + extra
    start = 14 + len(fields) + len(palette)
    return b"BM" + struct.pack("<IHHI", start + len(data), 0, 0, start) + fields + palette + data


def run_length(samples):
    out = b""
    for row in samples[::-1]:
        at = 0
        while at < len(row):
            end = at
            while end < len(row) and row[end] == row[at] and end - at < 255:
                end += 1
            out += bytes([end - at, row[at]])
            at = end
        out += b"\0\0"
    return out + b"\0\1"


def core(bits, data, palette=b""):
    start = 26 + len(palette)
    return (b"BM" + struct.pack("<IHHI", start + len(data), 0, 0, start)
            + struct.pack("<IHHHH", 12, W, H, 1, bits) + palette + data)


def gifs():
    plain = saved(smooth, "GIF")
    put("palette64.gif", plain)
    put("palette256.gif", saved(Image.fromarray(noise).quantize(256), "GIF"))
    put("gray.gif", saved(Image.fromarray(noise[..., 0]), "GIF"))
    put("black_and_white.gif", saved(black, "GIF"))
    put("interlaced.gif", saved(smooth, "GIF", interlace=1))
    put("transparent.gif", saved(smooth, "GIF", transparency=3, comment=b"a comment"))
    others = [Image.fromarray(noise).quantize(64), Image.fromarray(rgb[::-1].copy()).quantize(64)]
    put("animated.gif", saved(smooth, "GIF", save_all=True, append_images=others, duration=100))
    put("no_end_mark.gif", plain[:-1])
    put("trailing.gif", plain + b"more")
    wider = bytearray(plain)
    wider[6:8] = struct.pack("<H", 60)
    put("refused/offset.gif", bytes(wider))


def bmps():
    wide = rng.integers(0, 65536, (H, W)).astype("<u2")
    words = rng.integers(0, 1 << 32, (H, W), dtype=numpy.uint64).astype("<u4")
    palette = b"".join(bytes([i * 3 % 256, i * 5 % 256, i * 7 % 256, 0]) for i in range(256))
    colours = rows(noise.reshape(H, W * 3))
    usual32 = struct.pack("<III", 0xFF0000, 0xFF00, 0xFF)
    put("rgb24.bmp", bmp(24, 0, colours))
    put("top_down.bmp", bmp(24, 0, colours, height=-H))
    put("v5.bmp", bmp(24, 0, colours, extra=bytes(84), header=124))
    put("os2.bmp", core(24, colours))
    put("os2_palette.bmp", core(8, rows(indices), b"".join(palette[i:i + 3] for i in range(0, 1024, 4))))
    put("palette8.bmp", bmp(8, 0, rows(indices), palette))
    put("palette_few.bmp", bmp(8, 0, rows(indices % 10), palette[:40]))
    put("one.bmp", saved(black, "BMP"))
    put("gray.bmp", saved(Image.fromarray(noise[..., 0]), "BMP"))
    put("rle8.bmp", bmp(8, 1, run_length(indices // 64), palette))
    put("rle4.bmp", bmp(4, 2, b"\x2d\x12\0\0" * H + b"\0\1", palette[:64]))
    put("rgb555.bmp", bmp(16, 0, rows(wide)))
    put("fields555.bmp", bmp(16, 3, rows(wide & 0x7FFF), extra=struct.pack("<III", 0x7C00, 0x3E0, 0x1F)))
    put("rgbx32.bmp", bmp(32, 0, rows(words)))
    put("fields32.bmp", bmp(32, 3, rows(words), extra=usual32))
    put("v4_alpha.bmp", bmp(32, 3, rows(words), header=108,
                            extra=usual32 + struct.pack("<I", 0xFF000000) + b"BGRs" + bytes(48)))
    put("refused/fields565.bmp", bmp(16, 3, rows(wide), extra=struct.pack("<III", 0xF800, 0x7E0, 0x1F)))
    put("refused/fields_rgbx.bmp", bmp(32, 3, rows(words), extra=struct.pack("<III", 0xFF, 0xFF00, 0xFF0000)))
    put("refused/png_inside.bmp", bmp(24, 5, b"\x89PNG"))


def answer(path):
    try:
        image = Image.open(path)
        if image.size[0] * image.size[1] > 50_000_000:
            return None
        pixels = numpy.array(image.convert("RGB"))
        return [image.size[0], image.size[1], zlib.crc32(pixels.tobytes())]
    except Exception:
        return None


def write(path, answers):
    lines = [f"{json.dumps(name)}: {json.dumps(value)}" for name, value in sorted(answers.items())]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def main():
    Image.MAX_IMAGE_PIXELS = None
    gifs()
    bmps()
    files = [path for path in FOLDER.iterdir() if path.suffix in (".gif", ".bmp")]
    write(FOLDER / "gif_bmp.json", {path.name: answer(path) for path in files})
    known = json.loads((ROOT / "hostile" / "pillow.json").read_text())
    for name in known:
        if name.endswith((".gif", ".bmp")):
            known[name] = answer(ROOT / "hostile" / name)
    write(ROOT / "hostile" / "pillow.json", known)
    print(len(files), "files")


if __name__ == "__main__":
    main()
