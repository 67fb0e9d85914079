"""Draws the pictures of `make demo` (run once; the results are committed).

    make release
    python3 -m venv venv && venv/bin/pip install 'pillow<13'
    venv/bin/python deploy/demo/make_demo_scenes.py

Groups of drawn scenes with looks that no training data show: a caption, one picture that follows it and
five with mistakes or faults of quality, in the three formats people send. `truth.jsonl` says how good each
is (5 is all right); the daemon never reads it. One file is cut in the middle on purpose.
"""

import json
import os
import re
import subprocess
import tempfile

from PIL import Image

HERE = os.path.dirname(os.path.abspath(__file__))
BENCH = os.path.join(HERE, "../../.build/release/rewardbench")
SEED = 2503
GROUPS = {0: "circles", 4: "ring-and-circle", 5: "triangles", 7: "cross-below", 9: "triangle-below", 10: "striped"}
FORMATS = ["png", "jpg", "webp"]


def draw(index, directory):
    """One group: its caption, and the grade and fault of each picture for it."""
    subprocess.run(
        [BENCH, "scenes", "picture", "--seed", str(SEED), "--index", str(index), "--side", "192",
         "--out", directory],
        check=True, stdout=subprocess.DEVNULL)
    lines = open(os.path.join(directory, "group.txt")).read().splitlines()
    caption = lines[3].strip()
    grades = []
    for line in lines[4:]:
        found = re.match(r"    (\d) for variant (\d+): (.*)", line)
        if not found:
            break
        grades.append((int(found[1]), found[3]))
    return caption, grades


def save(picture, path):
    options = {"jpg": {"quality": 95, "subsampling": 0}, "webp": {"lossless": True}, "png": {"optimize": True}}
    picture.convert("RGB").save(path, **options[path.rsplit(".", 1)[1]])


def main():
    folder = os.path.join(HERE, "scenes")
    os.makedirs(folder, exist_ok=True)
    items, truth = [], []
    for number, (index, name) in enumerate(GROUPS.items()):
        with tempfile.TemporaryDirectory() as directory:
            caption, grades = draw(index, directory)
            # The best picture must not always stand first.
            order = [(place + number + 1) % len(grades) for place in range(len(grades))]
            paths = []
            for place, variant in enumerate(order):
                path = f"scenes/{name}-{place + 1}.{FORMATS[(place + number) % 3]}"
                save(Image.open(os.path.join(directory, f"{variant}.png")), os.path.join(HERE, path))
                paths.append(path)
        items.append({"id": name, "caption": caption, "candidates": paths})
        truth.append({
            "id": name, "grades": [grades[v][0] for v in order], "faults": [grades[v][1] for v in order]})
    whole = next(path for path in items[-1]["candidates"] if path.endswith(".jpg"))
    with open(os.path.join(HERE, whole), "rb") as file:
        content = file.read()
    with open(os.path.join(HERE, "scenes/cut-in-the-middle.jpg"), "wb") as file:
        file.write(content[: len(content) // 2])
    items.append({
        "id": "damaged", "caption": items[-1]["caption"],
        "candidates": [items[-1]["candidates"][0], "scenes/cut-in-the-middle.jpg"]})
    for name, records in (("items.jsonl", items), ("truth.jsonl", truth)):
        with open(os.path.join(HERE, name), "w") as file:
            file.writelines(json.dumps(record) + "\n" for record in records)


main()
