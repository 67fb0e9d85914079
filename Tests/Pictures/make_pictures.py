"""Renders the pictures that tests of the daemon judge (run once; the results are committed).

    python3 -m venv venv && venv/bin/pip install 'pillow<13'
    venv/bin/python Tests/Pictures/make_pictures.py

Three captions with candidate pictures that follow them well or badly: wrong colour, wrong order,
missing object, blur, noise. One file is cut in the middle on purpose.
"""

import os
import random

from PIL import Image, ImageDraw, ImageFilter

HERE = os.path.dirname(os.path.abspath(__file__))
SIZE = 160
SCALE = 4
COLOURS = {
    "red": (206, 48, 44), "blue": (44, 84, 200), "green": (40, 152, 72),
    "yellow": (236, 196, 52), "purple": (128, 64, 168), "orange": (240, 132, 40),
}


def scene(shapes, background):
    """Draws (shape, colour, x, y, radius) four times too large, then reduces it: smooth edges."""
    side = SIZE * SCALE
    image = Image.new("RGB", (side, side), background)
    draw = ImageDraw.Draw(image)
    for shape, colour, x, y, radius in shapes:
        x, y, r = x * side, y * side, radius * side
        fill = COLOURS[colour]
        if shape == "circle":
            draw.ellipse((x - r, y - r, x + r, y + r), fill=fill)
        elif shape == "square":
            draw.rectangle((x - r, y - r, x + r, y + r), fill=fill)
        else:
            draw.polygon([(x, y - r), (x - r, y + r), (x + r, y + r)], fill=fill)
    return image.resize((SIZE, SIZE), Image.LANCZOS)


def noisy(image, amount, seed):
    """Adds uniform noise of +-amount levels."""
    source = random.Random(seed)
    data = bytes(
        max(0, min(255, value + source.randint(-amount, amount))) for value in image.tobytes())
    return Image.frombytes("RGB", image.size, data)


def main():
    paper, dusk, mint = (244, 240, 230), (52, 56, 84), (214, 236, 220)
    one = [("circle", "red", .3, .5, .18), ("square", "blue", .72, .5, .16)]
    swapped = [("circle", "red", .72, .5, .18), ("square", "blue", .3, .5, .16)]
    wrong = [("circle", "green", .3, .5, .18), ("square", "blue", .72, .5, .16)]
    scene(one, paper).save(f"{HERE}/left-right-1.png")
    scene(swapped, paper).save(f"{HERE}/left-right-2.jpg", quality=92)
    scene(wrong, paper).save(f"{HERE}/left-right-3.webp", quality=90)
    scene(one, paper).filter(ImageFilter.GaussianBlur(4)).save(
        f"{HERE}/left-right-4.jpg", quality=85, progressive=True)

    three = [("triangle", "yellow", .2 + .3 * i, .5, .13) for i in range(3)]
    two = three[:2]
    mixed = three[:2] + [("triangle", "purple", .8, .5, .13)]
    scene(three, dusk).save(f"{HERE}/triangles-1.jpg", quality=92)
    scene(two, dusk).quantize(16).save(f"{HERE}/triangles-2.png")
    scene(mixed, dusk).save(f"{HERE}/triangles-3.png")
    noisy(scene(three, dusk), 60, 7).resize((96, 96)).save(f"{HERE}/triangles-4.png")

    stack = [("square", "orange", .5, .68, .2), ("circle", "purple", .5, .3, .16)]
    scene(stack, mint).save(f"{HERE}/stack-1.webp", lossless=True)
    scene(list(reversed([("square", "orange", .5, .3, .2), ("circle", "purple", .5, .74, .16)])),
          mint).save(f"{HERE}/stack-2.png")
    whole = f"{HERE}/whole.jpg"
    scene(stack, mint).save(whole, quality=90)
    with open(whole, "rb") as file:
        data = file.read()
    os.remove(whole)
    with open(f"{HERE}/cut-in-the-middle.jpg", "wb") as file:
        file.write(data[: len(data) // 2])


main()
