"""What a file is, by its first bytes. Its name is never asked."""

from dataclasses import dataclass
from typing import Final, Literal

from beholder.errors import MediaError

HEAD: Final = 4096
"""Bytes from the start of a file that are enough to tell."""

Family = Literal["still", "clip"]


@dataclass(frozen=True)
class Kind:
    """A format that can be read."""

    name: str
    """As in messages: `JPEG`, `Matroska`."""
    family: Family
    reader: str
    """Who reads it: a name of `images.OPENERS` for a still, FFmpeg's demuxer for a clip."""


_STILLS: Final = (
    (b"\xff\xd8\xff", Kind("JPEG", "still", "jpeg")),
    (b"\x89PNG\r\n\x1a\n", Kind("PNG", "still", "png")),
    (b"GIF87a", Kind("GIF", "still", "gif")),
    (b"GIF89a", Kind("GIF", "still", "gif")),
    (b"BM", Kind("BMP", "still", "bmp")),
    (b"II*\0", Kind("TIFF", "still", "tiff")),
    (b"MM\0*", Kind("TIFF", "still", "tiff")),
    (b"II+\0", Kind("BigTIFF", "still", "tiff")),
    (b"MM\0+", Kind("BigTIFF", "still", "tiff")),
)
_CLIPS: Final = (
    (b"\x1a\x45\xdf\xa3", Kind("Matroska", "clip", "matroska")),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", Kind("ASF", "clip", "asf")),
    (b"\0\0\x01\xba", Kind("MPEG program stream", "clip", "mpeg")),
    (b"\0\0\x01\xb3", Kind("MPEG video", "clip", "mpegvideo")),
    (b"FLV\x01", Kind("FLV", "clip", "flv")),
    (b"OggS", Kind("Ogg", "clip", "ogg")),
    (b"YUV4MPEG2 ", Kind("Y4M", "clip", "yuv4mpegpipe")),
    (b"DKIF", Kind("IVF", "clip", "ivf")),
    (b"\x06\x0e\x2b\x34\x02\x05\x01\x01", Kind("MXF", "clip", "mxf")),
)
_MP4: Final = Kind("MP4", "clip", "mov,mp4,m4a,3gp,3g2,mj2")
_HEIC: Final = Kind("HEIC", "still", "heif")
_AVIF: Final = Kind("AVIF", "still", "avif")
_HEIC_BRANDS: Final = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"}
_MP4_BOXES: Final = {b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"}

_KNOWN: Final = (
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"Rar!", "a RAR archive"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
    (b"\xff\x0a", "a JPEG XL picture"),
    (b"\0\0\0\x0cJXL ", "a JPEG XL picture"),
    (b"\0\0\0\x0cjP  ", "a JPEG 2000 picture"),
    (b"\xff\x4f\xff\x51", "a JPEG 2000 picture"),
    (b"8BPS", "a Photoshop document"),
    (b"FUJIFILMCCD-RAW", "a camera raw file"),
    (b"v/1\x01", "an OpenEXR picture"),
    (b"#?RADIANCE", "a Radiance picture"),
    (b"ID3", "MP3 sound"),
    (b"fLaC", "FLAC sound"),
    (b"SQLite format 3", "a database"),
    (b"version https://git-lfs", "a Git LFS pointer (fetch the real file with git lfs pull)"),
)


def sniff(head: bytes) -> Kind:
    """The format of a file that begins with `head`.

    >>> sniff(b"\\x89PNG\\r\\n\\x1a\\n").name
    'PNG'

    Raises:
        MediaError: when nothing that can be read begins like this; says what it looks like.
    """
    kind = _container(head) or _netpbm(head) or _transport(head)
    for magic, known in _STILLS + _CLIPS:
        if kind is None and head.startswith(magic):
            kind = known
    if kind is None:
        raise MediaError(
            f"this is {describe(head)}, neither a picture nor a clip that can be read:"
            " give a JPEG, PNG, WebP, AVIF, HEIC, TIFF, GIF, BMP, MP4, MOV, MKV, WebM or AVI"
        )
    return kind


def _container(head: bytes) -> Kind | None:
    if head[:4] == b"RIFF":
        return {
            b"WEBP": Kind("WebP", "still", "webp"),
            b"AVI ": Kind("AVI", "clip", "avi"),
        }.get(head[8:12])
    if head[4:8] == b"ftyp":
        return _branded(head)
    return _MP4 if head[4:8] in _MP4_BOXES else None


def _branded(head: bytes) -> Kind:
    """Tell AVIF and HEIC from MP4 by the brands of the first box."""
    end = min(int.from_bytes(head[:4], "big"), len(head))
    brands = {head[at : at + 4] for at in range(8, max(end, 12), 4) if at != 12}
    if brands & {b"avif", b"avis"}:
        return _AVIF
    if brands & _HEIC_BRANDS or head[8:12] in {b"mif1", b"msf1"}:
        return _HEIC
    return _MP4


def _netpbm(head: bytes) -> Kind | None:
    is_netpbm = head[:1] == b"P" and head[1:2] in b"123456" and head[2:3].isspace()
    return Kind("Netpbm", "still", "ppm") if is_netpbm and len(head) > 2 else None


def _transport(head: bytes) -> Kind | None:
    """MPEG transport streams have a 0x47 every 188 bytes (192 with time codes)."""
    for first, step in ((0, 188), (4, 192)):
        marks = head[first : first + 4 * step : step]
        if len(marks) == 4 and set(marks) == {0x47}:
            return Kind("MPEG transport stream", "clip", "mpegts")
    return None


def describe(head: bytes) -> str:
    """What bytes that are no picture look like, as a noun.

    >>> describe(b"hello, world")
    'text'
    """
    for magic, noun in _KNOWN:
        if head.startswith(magic):
            return noun
    if head[:4] == b"RIFF":
        return "RIFF data (sound?)"
    start = head.lstrip()[:200].lower()
    if start.startswith((b"<!doctype html", b"<html")):
        return "an HTML page"
    if b"<svg" in start:
        return "an SVG drawing"
    if not any(head):
        return "nothing but zero bytes"
    return "text" if _is_text(head) else f"data that begins with {head[:8].hex(' ')}"


def _is_text(head: bytes) -> bool:
    if any(byte < 32 and byte not in b"\t\n\r\f\x1b" for byte in head):
        return False
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        return len(head) == HEAD and error.start >= HEAD - 3
    return True
