"""Real files of every kind, made on the spot: small clips by PyAV, HEIC boxes by hand."""

import io
import itertools
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import ColorPrimaries, ColorRange, ColorTrc

os.environ["SVT_LOG"] = "0"  # the AV1 encoder talks on standard error

KR_KB = {"601": (0.299, 0.114), "709": (0.2126, 0.0722), "2020": (0.2627, 0.0593)}
H273 = {"601": 6, "709": 1, "2020": 9}


def picture(width: int = 64, height: int = 48, seed: int = 0) -> np.ndarray:
    """Smooth colours with a little detail, never symmetric."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    base = np.stack([x * 255 / width, y * 255 / height, (x + y) * 255 / (width + height)], -1)
    return np.clip(base + rng.normal(0, 4, base.shape), 0, 255).astype(np.uint8)


def patch(colour: tuple[int, int, int], width: int = 64, height: int = 64) -> np.ndarray:
    return np.broadcast_to(np.array(colour, np.uint8), (height, width, 3)).copy()


def to_yuv(rgb: np.ndarray, matrix: str, *, full: bool, bits: int = 8) -> np.ndarray:
    """R'G'B' 0…1 → planes of Y'CbCr (ITU-T H.273), 4:4:4, shape (3, height, width)."""
    kr, kb = KR_KB[matrix]
    r, g, b = np.moveaxis(rgb, -1, 0)
    luma = kr * r + (1 - kr - kb) * g + kb * b
    chroma = np.stack([(b - luma) / (2 * (1 - kb)), (r - luma) / (2 * (1 - kr))])
    unit = 2 ** (bits - 8)
    if full:
        top = 2**bits - 1
        planes = np.concatenate([luma[None] * top, chroma * top + 128 * unit])
    else:
        planes = np.concatenate([luma[None] * 219 + 16, chroma * 224 + 128]) * unit
    levels = np.clip(np.rint(planes), 0, 2**bits - 1)
    return levels.astype(np.uint8 if bits == 8 else np.uint16)


@dataclass
class Look:
    """How the samples of a clip are to be understood."""

    matrix: str = "601"
    full: bool = False
    bits: int = 8
    tagged: bool = True
    transfer: ColorTrc | None = None
    primaries: ColorPrimaries | None = None
    subsampled: bool = True

    @property
    def pix_fmt(self) -> str:
        name = "yuv420p" if self.subsampled else "yuv444p"
        return name if self.bits == 8 else f"{name}{self.bits}le"


@dataclass
class Recipe:
    """How a clip is made."""

    codec: str = "libx264"
    rate: int = 10
    look: Look = field(default_factory=Look)
    options: dict[str, str] = field(default_factory=lambda: {"crf": "4"})
    stamps: list[int] | None = None
    """Time stamps in milliseconds, for variable frame rate."""
    rotation: int | None = None
    mirrored: bool = False
    format: str | None = None
    gop: int = 12
    container_options: dict[str, str] = field(default_factory=dict)
    sound_seconds: float = 0.0


def clip(where: Path | io.BytesIO, frames: list[np.ndarray], recipe: Recipe | None = None) -> Path:
    """Encode R'G'B' frames (uint8, or float 0…1) into a clip."""
    recipe = recipe or Recipe()
    height, width = frames[0].shape[:2]
    counter = itertools.count()
    target = where if isinstance(where, io.BytesIO) else str(where)
    with av.open(
        target, "w", format=recipe.format, container_options=recipe.container_options
    ) as out:
        stream = out.add_stream(recipe.codec, rate=recipe.rate, options=_options(recipe))
        stream.width, stream.height = width, height
        stream.pix_fmt = recipe.look.pix_fmt
        stream.gop_size = recipe.gop
        stream.codec_context.thread_count = 1
        if recipe.stamps is not None:
            stream.codec_context.time_base = Fraction(1, 1000)
            stream.time_base = Fraction(1, 1000)
        if recipe.rotation is not None or recipe.mirrored:
            stream.set_display_rotation(recipe.rotation or 0, hflip=recipe.mirrored)
        _tag(stream.codec_context, recipe.look)
        sound = _sound(out, recipe) if recipe.sound_seconds else None
        for index, pixels in enumerate(frames):
            frame = _frame(pixels, recipe.look)
            if recipe.stamps is not None:
                frame.pts, frame.time_base = recipe.stamps[index], Fraction(1, 1000)
            else:
                frame.pts, frame.time_base = index, Fraction(1, recipe.rate)
            _mux(out, stream.encode(frame), recipe, counter)
        _mux(out, stream.encode(None), recipe, counter)
        if sound is not None:
            _play(out, sound, recipe.sound_seconds)
    return where


def _mux(out, packets: list, recipe: Recipe, counter: Iterator[int]) -> None:
    """The bundled x265 gives no time stamps, so its packets are numbered: no B-frames there."""
    for packet in packets:
        if recipe.codec == "libx265":
            packet.pts = packet.dts = next(counter)
            packet.duration, packet.time_base = 1, Fraction(1, recipe.rate)
        out.mux(packet)


def _options(recipe: Recipe) -> dict[str, str]:
    if recipe.codec != "libx265":
        return recipe.options
    params = recipe.options.get("x265-params", "log-level=none")
    return {**recipe.options, "bf": "0", "x265-params": f"{params}:bframes=0:pools=none"}


def _tag(context, look: Look) -> None:
    if look.tagged:
        context.colorspace = H273[look.matrix]
        context.color_range = ColorRange.JPEG if look.full else ColorRange.MPEG
    if look.transfer is not None:
        context.color_trc = look.transfer
    if look.primaries is not None:
        context.color_primaries = look.primaries


def _frame(pixels: np.ndarray, look: Look) -> av.VideoFrame:
    rgb = pixels / 255.0 if pixels.dtype == np.uint8 else pixels
    planes = to_yuv(rgb, look.matrix, full=look.full, bits=look.bits)
    height, width = planes.shape[1:]
    frame = av.VideoFrame(width, height, look.pix_fmt)
    for index, plane in enumerate(frame.planes):
        values = planes[index]
        if look.subsampled and index:
            values = np.pad(values, ((0, height % 2), (0, width % 2)), "edge").astype(np.float64)
            blocks = values.reshape(values.shape[0] // 2, 2, -1, 2)
            values = np.rint(blocks.mean(axis=(1, 3))).astype(planes.dtype)
        row = np.zeros((plane.height, plane.line_size // planes.itemsize), planes.dtype)
        row[: values.shape[0], : values.shape[1]] = values
        plane.update(row.tobytes())
    if look.tagged:
        frame.colorspace = H273[look.matrix]
        frame.color_range = ColorRange.JPEG if look.full else ColorRange.MPEG
    if look.transfer is not None:
        frame.color_trc = look.transfer
    if look.primaries is not None:
        frame.color_primaries = look.primaries
    return frame


def _sound(out, recipe: Recipe):
    codec = "libopus" if str(recipe.format or out.format.name).startswith(("webm",)) else "aac"
    return out.add_stream(codec, rate=48_000)


def _play(out, stream, seconds: float) -> None:
    for index in range(int(seconds * 48_000 / 1024)):
        sound = av.AudioFrame(format="fltp", layout="stereo", samples=1024)
        for plane in sound.planes:
            plane.update(bytes(plane.buffer_size))
        sound.sample_rate, sound.pts, sound.time_base = 48_000, index * 1024, Fraction(1, 48_000)
        out.mux(stream.encode(sound))
    out.mux(stream.encode(None))


def sound(where: Path, seconds: float = 1.0, format: str | None = None) -> Path:
    """A file with sound and no picture."""
    with av.open(str(where), "w", format=format) as out:
        _play(out, out.add_stream("aac", rate=48_000), seconds)
    return where


def box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I", 8 + len(body)) + kind + body


def full_box(kind: bytes, version: int, *parts: bytes) -> bytes:
    return box(kind, struct.pack(">I", version << 24), *parts)


def heic(
    pictures: list[np.ndarray],
    *,
    primary: int = 0,
    quarter_turns: int = 0,
    profile: bytes | None = None,
    nclx: tuple[int, int, int] | None = None,
    bits: int = 8,
) -> bytes:
    """A HEIC file of pictures, HEVC coded; `quarter_turns` are anticlockwise, by `irot`."""
    coded = [_hevc(pixels, bits) for pixels in pictures]
    properties = [box(b"hvcC", coded[0][0])]
    height, width = pictures[0].shape[:2]
    properties.append(full_box(b"ispe", 0, struct.pack(">II", width, height)))
    if quarter_turns:
        properties.append(box(b"irot", bytes([quarter_turns])))
    if profile is not None:
        properties.append(box(b"colr", b"prof", profile))
    if nclx is not None:
        properties.append(box(b"colr", b"nclx", struct.pack(">HHHB", *nclx, 0x80)))
    count = len(pictures)
    head = box(b"ftyp", b"heic", b"\0\0\0\0", b"mif1", b"heic")
    entries = [
        full_box(b"infe", 2, struct.pack(">HH", index + 1, 0), b"hvc1", b"\0")
        for index in range(count)
    ]
    marks = bytes([len(properties), *(0x80 | (at + 1) for at in range(len(properties)))])
    assigned = b"".join(struct.pack(">H", index + 1) + marks for index in range(count))

    def meta(start: int) -> bytes:
        places, at = b"", start
        for _, sample in coded:
            places += struct.pack(">HHHII", len(places) // 14 + 1, 0, 1, at, len(sample))
            at += len(sample)
        return full_box(
            b"meta",
            0,
            full_box(b"hdlr", 0, b"\0\0\0\0pict", bytes(12), b"\0"),
            full_box(b"pitm", 0, struct.pack(">H", primary + 1)),
            full_box(b"iloc", 0, bytes([0x44, 0x00]), struct.pack(">H", count), places),
            full_box(b"iinf", 0, struct.pack(">H", count), *entries),
            box(
                b"iprp",
                box(b"ipco", *properties),
                full_box(b"ipma", 0, struct.pack(">I", count), assigned),
            ),
        )

    start = len(head) + len(meta(0)) + 8
    return head + meta(start) + box(b"mdat", *(sample for _, sample in coded))


def _hevc(pixels: np.ndarray, bits: int) -> tuple[bytes, bytes]:
    """The decoder configuration and the one coded picture."""
    look = Look("601", full=True, bits=bits, subsampled=False)
    options = {"x265-params": "lossless=1:log-level=none:range=full:pools=1:frame-threads=1"}
    store = io.BytesIO()
    clip(store, [pixels], Recipe("libx265", 1, look, options, format="mp4"))
    data = store.getvalue()
    at = data.index(b"hvcC")
    (size,) = struct.unpack_from(">I", data, at - 4)
    with av.open(io.BytesIO(data)) as source:
        sample = bytes(next(source.demux(video=0)))
    return data[at + 4 : at - 4 + size], sample
