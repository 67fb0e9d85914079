"""Makes Tests/Goldens/video: tiny clips of each container and codec, and what the reference reads in them.

    pip install av decord numpy
    python Tests/Goldens/make_video_goldens.py [folder of ffmpeg]

The reference of most clips is decord (`VideoReader(f).get_batch(i)`), what the UnifiedReward scripts read
videos with; for what decord cannot read or reads otherwise it is PyAV (`frame.to_ndarray("rgb24")`). Each
frame is kept as the CRC-32 of its RGB bytes. The script says where the two differ.
"""

import json
import pathlib
import subprocess
import sys
import zlib

import av
import decord
import numpy

FOLDER = pathlib.Path(__file__).parent / "video"
SOURCE = "testsrc2=size={size}:rate={rate}:duration={duration}"

# name: (reference, size, rate, duration, arguments after the input)
CLIPS = {
    "h264.mp4": ("decord", "128x64", 10, 2, ["-c:v", "libx264", "-g", "7", "-bf", "2"]),
    "h264_444.mov": ("decord", "97x53", 10, 1, ["-c:v", "libx264", "-pix_fmt", "yuv444p"]),
    "h264_709.mp4": (
        "decord", "64x48", 10, 1,
        ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-colorspace", "bt709", "-color_primaries", "bt709",
         "-color_trc", "bt709"],
    ),
    "h264_full_range.mp4": (
        "decord", "64x48", 10, 1, ["-c:v", "libx264", "-pix_fmt", "yuvj420p"]),
    "h264_10bit.mp4": ("decord", "64x48", 10, 1, ["-c:v", "libx264", "-pix_fmt", "yuv420p10le"]),
    "hevc.mp4": (
        "decord", "64x48", 10, 1, ["-c:v", "libx265", "-pix_fmt", "yuv420p", "-tag:v", "hvc1"],
    ),
    "mpeg4.mov": ("decord", "64x48", 10, 1, ["-c:v", "mpeg4", "-q:v", "8"]),
    "vp8.webm": ("decord", "64x48", 10, 1, ["-c:v", "libvpx", "-b:v", "40k"]),
    "vp9.webm": ("decord", "64x48", 10, 1, ["-c:v", "libvpx-vp9", "-b:v", "40k"]),
    "vp9_odd.webm": ("decord", "97x53", 10, 1, ["-c:v", "libvpx-vp9", "-b:v", "40k"]),
    "vp9_gbr.webm": ("decord", "64x48", 5, 1, ["-c:v", "libvpx-vp9", "-lossless", "1", "-pix_fmt", "gbrp"]),
    "av1.mp4": ("av", "64x48", 10, 1, ["-c:v", "libaom-av1", "-cpu-used", "8", "-b:v", "40k"]),
    "vfr.mp4": (
        "decord", "64x48", 10, 2,
        ["-vf", "select='not(mod(n,3))+lt(n,6)'", "-fps_mode", "passthrough", "-c:v", "libx264"],
    ),
    "wide_pixels.mp4": ("decord", "64x48", 10, 1, ["-vf", "setsar=2", "-c:v", "libx264"]),
    "two_streams.mp4": (
        "decord", "64x48", 10, 1,
        ["-f", "lavfi", "-i", "color=red:size=32x32:rate=10:duration=1", "-map", "0:v", "-map", "1:v",
         "-c:v", "libx264"],
    ),
    "sound.mp4": (
        "decord", "64x48", 10, 1,
        ["-f", "lavfi", "-i", "sine=frequency=440:duration=1", "-c:v", "libx264", "-c:a", "aac",
         "-b:a", "16k", "-shortest"],
    ),
    "sound.webm": (
        "decord", "64x48", 10, 1,
        ["-f", "lavfi", "-i", "sine=frequency=440:duration=1", "-c:v", "libvpx", "-b:v", "40k",
         "-c:a", "libopus", "-b:a", "16k", "-shortest"],
    ),
    "animated.gif": ("av", "64x48", 10, 1, []),
    "animated_transparent.gif": (
        "av", "64x48", 5, 1,
        ["-vf", "format=rgba,colorchannelmixer=aa=1,colorkey=0xff0000:0.3:0,"
         "split[a][b];[a]palettegen=reserve_transparent=1[p];[b][p]paletteuse"],
    ),
}
# Clips made from one above without encoding: (from, reference, input arguments, output arguments). Of one that
# is trimmed by an edit list decord counts what is cut off as well and repeats the last frame in its place.
COPIES = {
    "rotated_90.mp4": ("h264.mp4", "decord", [], ["-metadata:s:v:0", "rotate=90"]),
    "rotated_180.mov": ("h264.mp4", "decord", [], ["-metadata:s:v:0", "rotate=180"]),
    "rotated_270.mp4": ("h264.mp4", "decord", [], ["-metadata:s:v:0", "rotate=270"]),
    "trimmed.mp4": ("h264.mp4", "av", ["-ss", "0.35"], []),
    "faststart.mp4": ("h264.mp4", "decord", [], ["-movflags", "+faststart"]),
}


def ffmpeg(*arguments):
    subprocess.run(
        ["ffmpeg", "-nostdin", "-hide_banner", "-v", "error", "-y", *map(str, arguments)], check=True)


def refused():
    """refused/changing.webm: a stream whose frames change their size midway."""
    folder = FOLDER / "refused"
    folder.mkdir(exist_ok=True)
    parts = []
    for size in ("64x48", "96x80"):
        parts.append(folder / f"{size}.webm")
        ffmpeg("-f", "lavfi", "-i", SOURCE.format(size=size, rate=10, duration=1), "-c:v", "libvpx",
               "-b:v", "40k", parts[-1])
    listing = folder / "parts.txt"
    listing.write_text("".join(f"file {part.name}\n" for part in parts))
    ffmpeg("-f", "concat", "-i", listing, "-c", "copy", folder / "changing.webm")
    for path in [listing, *parts]:
        path.unlink()


def read_decord(path):
    reader = decord.VideoReader(str(path), num_threads=1)
    frames = reader.get_batch(range(len(reader))).asnumpy()
    return list(frames), reader.get_avg_fps()


def read_av(path):
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        rate = float(stream.average_rate)
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)], rate


def main():
    FOLDER.mkdir(exist_ok=True)
    jobs = {}
    for name, (reference, size, rate, duration, arguments) in CLIPS.items():
        source = SOURCE.format(size=size, rate=rate, duration=duration)
        tail = [] if "-map" in arguments or name.startswith("sound") else ["-an"]
        plain = "libx264" in arguments and "-pix_fmt" not in arguments
        ffmpeg("-f", "lavfi", "-i", source, *arguments, *(["-pix_fmt", "yuv420p"] if plain else []), *tail,
               "-fflags", "+bitexact", "-flags:v", "+bitexact", "-map_metadata", "-1", FOLDER / name)
        jobs[name] = reference
    for name, (source, reference, before, after) in COPIES.items():
        ffmpeg(*before, "-i", FOLDER / source, "-c", "copy", *after, FOLDER / name)
        jobs[name] = reference

    refused()
    answers = {}
    for name, reference in sorted(jobs.items()):
        path = FOLDER / name
        readings = {}
        for library, read in [("decord", read_decord), ("av", read_av)]:
            try:
                readings[library] = read(path)
            except Exception as error:
                print(f"{name}: {library}: {type(error).__name__}: {str(error)[:80]!r}")
        frames, rate = readings[reference]
        if len(readings) == 2:
            one, two = readings["decord"][0], readings["av"][0]
            same = len(one) == len(two) and all(numpy.array_equal(a, b) for a, b in zip(one, two))
            if not same:
                print(f"{name}: decord and PyAV differ ({len(one)} and {len(two)} frames)")
        height, width, _ = frames[0].shape
        answers[name] = {
            "reference": reference, "width": width, "height": height, "rate": rate,
            "frames": [zlib.crc32(frame.tobytes()) for frame in frames],
        }
    text = json.dumps(answers, indent=1, sort_keys=True)
    (FOLDER / "frames.json").write_text(text + "\n")
    print(sum(path.stat().st_size for path in FOLDER.iterdir()), "bytes in", len(answers), "clips")


if __name__ == "__main__":
    main()
