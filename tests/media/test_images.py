"""Still pictures: one rule for every kind of pixel."""

import io
import threading
import time

import numpy as np
import pytest
from PIL import Image, ImageCms, TiffImagePlugin

from beholder.errors import MediaError
from beholder.media import jpeg, limits
from beholder.media.reading import read
from beholder.media.sampling import FrameRule

RULE = FrameRule(8)
MANY = {"TIFF", "GIF", "PNG", "WEBP"}


def save(image, **options):
    store = io.BytesIO()
    image.save(store, **options)
    return store.getvalue()


def pixels(source):
    frames = read(source, RULE)
    (picture,) = frames.pictures
    assert picture.seconds is None
    assert frames.media == "image"
    assert frames.seconds is None
    assert picture.pixels.shape == (frames.height, frames.width, 3)
    return picture.pixels


def worst(found, wanted):
    return int(np.abs(found.astype(int) - np.asarray(wanted).astype(int)).max())


@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("size", [(64, 48), (61, 47), (1, 1), (3, 200)])
def test_a_plain_jpeg_has_the_very_pixels_of_pillow(make, subsampling, progressive, size):
    image = Image.fromarray(make.picture(*size))
    data = save(image, format="JPEG", subsampling=subsampling, progressive=progressive, quality=80)
    assert jpeg.fast(data, jpeg.header(data)) is not None
    assert worst(pixels(data), Image.open(io.BytesIO(data))) == 0


def test_a_grey_jpeg_has_the_very_pixels_of_pillow(make):
    data = save(Image.fromarray(make.picture()).convert("L"), format="JPEG")
    assert jpeg.fast(data, jpeg.header(data)) is not None
    assert worst(pixels(data), Image.open(io.BytesIO(data)).convert("RGB")) == 0


def test_an_rgb_coded_jpeg_keeps_its_colours(make):
    image = Image.fromarray(make.picture())
    data = save(image, format="JPEG", keep_rgb=True, quality=95)
    assert worst(pixels(data), Image.open(io.BytesIO(data))) == 0


def test_decoding_a_jpeg_lets_other_threads_run(make):
    data = save(Image.fromarray(make.picture(3000, 2000)), format="JPEG", quality=95)
    steps, done = [], threading.Event()

    def tick():
        while not done.wait(0.0005):
            steps.append(time.perf_counter())

    thread = threading.Thread(target=tick)
    thread.start()
    started = time.perf_counter()
    jpeg.fast(data, jpeg.header(data))
    ended = time.perf_counter()
    done.set()
    thread.join()
    assert sum(started < step < ended for step in steps) >= 5


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_all_eight_exif_orientations_stand_upright(make, orientation, form):
    upright = np.zeros((32, 48, 3), np.uint8)
    upright[:16, :24] = (255, 0, 0)
    upright[16:, 24:] = (0, 0, 255)
    back = {
        1: None, 2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4,
    }[orientation]  # fmt: skip
    stored = Image.fromarray(upright)
    stored = stored if back is None else stored.transpose(Image.Transpose(back))
    exif = Image.Exif()
    exif[0x0112] = orientation
    lossless = {"WEBP": {"lossless": True}, "AVIF": {"quality": 100, "subsampling": "4:4:4"}}
    options = {"quality": 95, "subsampling": 0} if form == "JPEG" else lossless.get(form, {})
    found = pixels(save(stored, format=form, exif=exif, **options))
    assert found.shape == upright.shape
    assert np.abs(found.astype(int) - upright.astype(int)).mean() < 3


@pytest.mark.parametrize(
    "broken", [b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0MM\0*"]
)
def test_a_broken_exif_block_is_no_reason_to_turn_or_to_warn(make, broken):
    image = Image.fromarray(make.picture())
    assert pixels(save(image, format="JPEG", exif=broken)).shape == (48, 64, 3)


def test_sixteen_bit_grey_is_scaled_and_never_clipped():
    ramp = np.linspace(0, 65535, 256).round().astype(np.uint16)
    image = Image.fromarray(np.tile(ramp, (16, 1)))
    for form in ("PNG", "TIFF"):
        found = pixels(save(image, format=form))
        assert np.array_equal(found[0, :, 0], np.arange(256))
        assert "16 bit scaled to 8" in read(save(image, format=form), RULE).notes


def test_sixteen_bit_colour_is_scaled_and_never_clipped():
    raw = np.full((4, 4, 3), (65535, 32896, 257), ">u2").tobytes()
    found = pixels(png(4, 4, 16, 2, raw))
    assert worst(found, np.full((4, 4, 3), (255, 128, 1))) <= 1


def test_sixteen_bit_tiff_that_is_white_at_zero_is_put_right():
    ifd = TiffImagePlugin.ImageFileDirectory_v2()
    ifd[262] = 0
    deep = np.full((8, 8), 65535, np.uint16)
    data = bytearray(save(Image.fromarray(deep), format="TIFF", tiffinfo=ifd))
    entry = data.find((262).to_bytes(2, "little") + (3).to_bytes(2, "little"))
    data[entry + 8 : entry + 10] = b"\0\0"
    assert pixels(bytes(data)).max() == 0


def png(width, height, depth, colour, raw, extra=b""):
    import struct
    import zlib

    def chunk(kind, body):
        return (
            struct.pack(">I", len(body)) + kind + body
            + struct.pack(">I", zlib.crc32(kind + body))
        )  # fmt: skip

    stride = len(raw) // height
    lines = b"".join(b"\0" + raw[row * stride : (row + 1) * stride] for row in range(height))
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    body = chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + extra + body


def test_float_tiff_from_zero_to_one_is_scaled():
    image = Image.fromarray(np.linspace(0, 1, 256, dtype=np.float32).reshape(1, 256))
    assert np.array_equal(pixels(save(image, format="TIFF"))[0, :, 1], np.arange(256))


def test_float_tiff_without_a_stated_white_is_refused_with_its_range():
    image = Image.fromarray(np.array([[0.0, 812.5]], dtype=np.float32))
    with pytest.raises(MediaError, match=r"812.5.*0 .*to 1 "):
        read(save(image, format="TIFF"), RULE)


def test_float_tiff_with_holes_is_refused():
    image = Image.fromarray(np.array([[0.0, np.nan]], dtype=np.float32))
    with pytest.raises(MediaError, match="nan"):
        read(save(image, format="TIFF"), RULE)


def test_transparent_pixels_lie_on_white():
    image = Image.new("RGBA", (4, 4), (255, 0, 0, 0))
    for form, options in (("PNG", {}), ("WEBP", {"lossless": True, "exact": True}), ("TIFF", {})):
        data = save(image, format=form, **options)
        assert pixels(data).min() == 255
        assert "alpha on white" in read(data, RULE).notes


def test_half_transparent_black_is_grey():
    data = save(Image.new("RGBA", (4, 4), (0, 0, 0, 128)), format="PNG")
    assert np.unique(pixels(data)).tolist() == [127]


def test_an_opaque_alpha_channel_is_not_worth_a_note():
    assert read(save(Image.new("RGBA", (4, 4), (1, 2, 3, 255)), format="PNG"), RULE).notes == ()


def test_palette_with_a_transparent_entry_lies_on_white():
    image = Image.new("P", (4, 4), 1)
    image.putpalette([0, 0, 0, 200, 10, 20])
    assert pixels(save(image, format="PNG"))[0, 0].tolist() == [200, 10, 20]
    assert pixels(save(image, format="PNG", transparency=1)).min() == 255


@pytest.mark.parametrize(("mode", "transparent"), [("L", 7), ("RGB", (1, 2, 3)), ("I;16", 7)])
def test_a_transparent_colour_lies_on_white(mode, transparent):
    if mode == "I;16":
        image = Image.fromarray(np.full((4, 4), 7, np.uint16))
    else:
        image = Image.new(mode, (4, 4), transparent)
    assert pixels(save(image, format="PNG", transparency=transparent)).min() == 255


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "LAB", "YCbCr"])
def test_every_mode_of_tiff_becomes_rgb(mode):
    image = Image.new("RGB", (8, 8), (255, 255, 255))
    image = Image.new("LAB", (8, 8), (255, 128, 128)) if mode == "LAB" else image.convert(mode)
    assert pixels(save(image, format="TIFF")).min() >= 253


@pytest.mark.parametrize(
    ("mode", "form"),
    [("1", "PNG"), ("L", "PNG"), ("LA", "PNG"), ("P", "GIF"), ("RGB", "BMP"), ("1", "BMP"),
     ("RGB", "PPM")],
)  # fmt: skip
def test_plain_formats_come_back_exactly(make, mode, form):
    image = Image.fromarray(make.picture()).convert(mode)
    assert worst(pixels(save(image, format=form)), image.convert("RGB")) == 0


def test_cmyk_jpeg_has_the_colours_that_were_meant(make):
    image = Image.fromarray(make.picture()).convert("CMYK")
    data = save(image, format="JPEG", quality=98, subsampling=0)
    assert worst(pixels(data), image.convert("RGB")) <= 12
    ink = save(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), format="JPEG")
    assert worst(pixels(ink), np.full((8, 8, 3), (255, 0, 0))) <= 6


def swapped_profile():
    """A profile of sRGB with red and green exchanged, so that it is easily seen at work."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, green = data.index(b"rXYZ"), data.index(b"gXYZ")
    data[red : red + 4], data[green : green + 4] = b"gXYZ", b"rXYZ"
    return bytes(data)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "TIFF", "WEBP", "AVIF"])
def test_an_embedded_profile_is_converted_to_srgb(form):
    image = Image.new("RGB", (16, 16), (255, 0, 0))
    frames = read(save(image, format=form, icc_profile=swapped_profile(), quality=95), RULE)
    (picture,) = frames.pictures
    assert picture.pixels[8, 8, 1] > 240
    assert picture.pixels[8, 8, 0] < 15
    assert "ICC profile converted to sRGB" in frames.notes


def test_a_profile_that_is_srgb_changes_nothing(make):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = make.picture()
    frames = read(save(Image.fromarray(data), format="PNG", icc_profile=profile), RULE)
    assert worst(next(iter(frames.pictures)).pixels, data) == 0
    assert frames.notes == ()


@pytest.mark.parametrize(
    ("profile", "mode", "note"),
    [
        (b"no profile at all", "RGB", "broken ICC profile ignored"),
        (None, "RGB", "broken ICC profile ignored"),
        ("srgb", "L", "ICC profile of another colour model ignored"),
    ],
)
def test_a_profile_that_cannot_be_used_is_ignored_with_a_note(make, profile, mode, note):
    whole = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    profile = {None: whole[:300], "srgb": whole}.get(profile, profile)
    image = Image.fromarray(make.picture()).convert(mode)
    frames = read(save(image, format="PNG", icc_profile=profile), RULE)
    assert worst(next(iter(frames.pictures)).pixels, image.convert("RGB")) == 0
    assert frames.notes == (note,)


def test_webp_avif_and_heic_open(make):
    data = make.picture()
    image = Image.fromarray(data)
    for coded in (
        save(image, format="WEBP", quality=95),
        save(image, format="AVIF", quality=95),
        make.heic([data]),
    ):
        assert np.abs(pixels(coded).astype(int) - data.astype(int)).mean() < 3


@pytest.mark.parametrize("turns", range(4))
def test_heic_is_turned_once(make, turns):
    data = make.picture()
    found = pixels(make.heic([data], quarter_turns=turns))
    assert worst(found, np.rot90(data, turns)) <= 2


def test_of_a_heic_with_several_pictures_the_primary_one_is_read(make):
    data = make.heic([make.patch((255, 0, 0)), make.patch((10, 200, 30))], primary=1)
    assert pixels(data)[0, 0].tolist() == [10, 200, 30]


def test_the_profile_of_a_heic_is_converted(make):
    data = make.heic([make.patch((250, 0, 0))], profile=swapped_profile())
    assert pixels(data)[0, 0, 1] > 240


def test_of_a_jpeg_with_previews_the_main_picture_is_read(make):
    first, second = Image.fromarray(make.picture(64, 48)), Image.fromarray(make.picture(20, 10))
    data = save(first, format="MPO", save_all=True, append_images=[second])
    assert data[:3] == b"\xff\xd8\xff"
    assert pixels(data).shape == (48, 64, 3)


def test_thumbnail_pages_of_a_tiff_are_skipped(make):
    pages = [Image.fromarray(make.picture(40, 30)), Image.fromarray(make.picture(8, 6))]
    ifd = TiffImagePlugin.ImageFileDirectory_v2()
    ifd[254] = 1
    pages[1].encoderinfo = {"tiffinfo": ifd}
    data = save(pages[0], format="TIFF", save_all=True, append_images=pages[1:])
    assert pixels(data).shape == (30, 40, 3)


def test_a_tiff_of_pages_is_read_page_by_page_without_time(make):
    pages = [Image.new("RGB", (8 + index, 8), (index * 20, 0, 0)) for index in range(5)]
    data = save(pages[0], format="TIFF", save_all=True, append_images=pages[1:])
    frames = read(data, FrameRule.parse("8"))
    found = list(frames.pictures)
    frames.close()
    assert [int(page.pixels[0, 0, 0]) for page in found] == [0, 20, 40, 60, 80]
    assert {page.seconds for page in found} == {None}
    assert (frames.media, frames.seconds, frames.notes) == ("image", None, ("5 pages",))
    two = read(data, FrameRule.parse("2"))
    assert [int(page.pixels[0, 0, 0]) for page in two.pictures] == [20, 60]


def test_a_picture_over_the_limit_is_refused_from_its_header_with_size_and_limit():
    for data in (
        png(20_000, 20_000, 8, 2, b""  * 20_000 or bytes(20_000)),
        b"BM" + bytes(12) + (40).to_bytes(4, "little") + (20_000).to_bytes(4, "little") * 2
        + b"\1\0\x18\0" + bytes(24),
    ):  # fmt: skip
        with pytest.raises(MediaError, match=r"20000×20000.*400 megapixels.*268"):
            read(data, RULE)


def test_a_jpeg_over_the_limit_is_refused_from_its_header(make):
    data = bytearray(save(Image.fromarray(make.picture()), format="JPEG"))
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = b"\x4e\x20\x4e\x20"
    with pytest.raises(MediaError, match="20000×20000"):
        read(bytes(data), RULE)


def test_long_and_tiny_pictures_are_read():
    assert pixels(save(Image.new("RGB", (30_000, 10)), format="PNG")).shape == (10, 30_000, 3)
    assert pixels(save(Image.new("RGB", (1, 1), (9, 8, 7)), format="PNG"))[0, 0].tolist() == [
        9,
        8,
        7,
    ]


def test_a_jpeg_that_paints_over_and_over_is_refused():
    image = Image.new("L", (4000, 4000))
    data = save(image, format="JPEG", progressive=True)
    scan = data.rindex(b"\xff\xda")
    bomb = data[:scan] + data[scan:-2] * 600 + data[-2:]
    with pytest.raises(MediaError, match=r"paints its 4000×4000 pixels 6[0-9][0-9] times"):
        read(bomb, RULE)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF", "GIF", "BMP", "PPM"])
@pytest.mark.parametrize("share", [0.3, 0.7])
def test_a_truncated_file_is_an_error_that_names_its_kind(make, form, share):
    data = save(Image.fromarray(make.picture(300, 200)), format=form)
    kind = {"PPM": "Netpbm", "WEBP": "WebP"}.get(form, form)
    with pytest.raises(MediaError, match=f"this {kind} is damaged or cut short") as caught:
        read(data[: int(len(data) * share)], RULE)
    assert "\n" not in str(caught.value)


def test_the_decoding_of_heavy_pictures_takes_turns():
    order = []
    with limits.decoding(10_000, 10_000):
        thread = threading.Thread(target=lambda: _turn(order))
        thread.start()
        with limits.decoding(100, 100):
            order.append("small at once")
        time.sleep(0.05)
        order.append("first ends")
    thread.join()
    assert order == ["small at once", "first ends", "second heavy"]


def _turn(order):
    with limits.decoding(10_000, 10_000):
        order.append("second heavy")


def test_other_peoples_pillow_warnings_still_appear(make):
    read(save(Image.fromarray(make.picture()), format="PNG"), RULE)
    image = Image.new("P", (2, 2))
    image.info["transparency"] = b"\0\1"
    with pytest.warns(UserWarning, match="should be converted to RGBA"):
        image.convert("RGB")


def test_other_peoples_pillow_limit_still_holds(make, monkeypatch):
    read(save(Image.fromarray(make.picture()), format="PNG"), RULE)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with pytest.raises(Image.DecompressionBombError):
        Image.open(io.BytesIO(save(Image.new("L", (64, 48)), format="PNG")))


@pytest.mark.parametrize("form", ["PNG", "TIFF", "GIF", "WEBP"])
def test_our_own_limit_is_the_only_one_in_our_reads(make, monkeypatch, form):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    data = make.picture()
    assert pixels(save(Image.fromarray(data), format=form)).shape == data.shape


def nclx(primaries, transfer):
    """A PNG chunk of ITU-T H.273 numbers: full range RGB."""
    import struct
    import zlib

    body = b"cICP" + bytes([primaries, transfer, 0, 1])
    return struct.pack(">I", 4) + body + struct.pack(">I", zlib.crc32(body))


@pytest.mark.parametrize(("transfer", "name"), [(16, "PQ"), (18, "HLG")])
def test_hdr_png_and_avif_are_refused_and_never_misread(transfer, name):
    data = png(4, 4, 8, 2, bytes(48), nclx(9, transfer))
    with pytest.raises(MediaError, match=rf"PNG is HDR \({name}\)"):
        read(data, RULE)
    coded = bytearray(save(Image.new("RGB", (16, 16)), format="AVIF"))
    at = coded.index(b"colrnclx") + 10
    coded[at : at + 2] = transfer.to_bytes(2, "big")
    with pytest.raises(MediaError, match=rf"AVIF is HDR \({name}\)"):
        read(bytes(coded), RULE)


def test_png_in_wide_primaries_becomes_srgb():
    data = png(4, 4, 8, 2, bytes([180, 100, 100] * 16), nclx(12, 13))
    red = pixels(data)[0, 0]
    assert red[0] > 185
    assert red[1] < 100
    assert read(data, RULE).notes == ("wide gamut converted to sRGB",)
    assert (
        pixels(png(4, 4, 8, 2, bytes([128] * 48), nclx(12, 13))).tolist() == [[[128] * 3] * 4] * 4
    )


@pytest.mark.parametrize("bits", [8, 10])
def test_hdr_heic_is_tone_mapped(make, bits):
    signal = 0.5806888810416109
    grey = np.full((64, 64, 3), signal)
    frames = read(make.heic([grey], nclx=(9, 16, 6), bits=bits), RULE)
    (picture,) = frames.pictures
    assert 200 <= picture.pixels[32, 32].min() <= picture.pixels[32, 32].max() <= 240
    assert frames.notes == ("HDR (PQ) tone-mapped to sRGB",)


def test_a_file_too_large_to_be_a_picture_is_refused(make, monkeypatch):
    monkeypatch.setattr(limits, "BYTES", 100)
    for form in ("JPEG", "WEBP", "AVIF"):
        with pytest.raises(MediaError, match="file is larger than"):
            read(save(Image.fromarray(make.picture()), format=form), RULE)


def test_files_are_closed_when_frames_are(make, tmp_path):
    import gc
    import warnings

    path = tmp_path / "a"
    pages = [Image.fromarray(make.picture(seed=seed)) for seed in range(3)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for form in ("TIFF", "GIF", "PNG", "WEBP", "JPEG", "BMP"):
            many = {"save_all": True, "append_images": pages[1:]} if form in MANY else {}
            pages[0].save(path, form, **many)
            frames = read(path, RULE)
            next(iter(frames.pictures))
            frames.close()
            del frames
            gc.collect()
