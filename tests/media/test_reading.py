"""The one door: what is opened, and what is said when it is not."""

import contextlib
import io
import os
import socket
import threading
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from beholder.errors import MediaError, UsageError
from beholder.media.names import hint
from beholder.media.reading import read, thumbnail
from beholder.media.sampling import FrameRule
from beholder.media.sniff import describe, sniff

RULE = FrameRule(4)


def refused(source):
    with pytest.raises(MediaError) as caught:
        read(source, RULE)
    message = str(caught.value)
    assert "\n" not in message
    return message


def one(source):
    (picture,) = read(source, RULE).pictures
    return picture.pixels


def test_a_png_that_is_named_jpg_just_opens(make, tmp_path):
    path = tmp_path / "holiday.jpg"
    Image.fromarray(make.picture()).save(path, "PNG")
    assert np.array_equal(one(path), make.picture())


def test_a_clip_that_is_named_png_just_opens(make, tmp_path):
    path = make.clip(tmp_path / "x.mp4", [make.picture()] * 3).rename(tmp_path / "x.png")
    assert read(str(path), RULE).media == "video"


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"Dear diary,\n", "text"),
        ("Ärger".encode(), "text"),
        (b"<!DOCTYPE html><p>404", "an HTML page"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "an SVG drawing"),
        (b"%PDF-1.7", "a PDF document"),
        (b"PK\x03\x04....", "a ZIP archive"),
        (b"\0\0\0\x0cJXL \x0d\x0a", "a JPEG XL picture"),
        (b"\0" * 64, "nothing but zero bytes"),
        (b"\x7fELF\x02", "a program"),
        (b"\x80\x81\x82\x83", "data that begins with 80 81 82 83"),
        (b"RIFF\0\0\0\0WAVE", "RIFF data"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        (b"x", "text"),
    ],
)
def test_what_is_no_picture_is_named(tmp_path, content, found):
    path = tmp_path / "picture.jpg"
    path.write_bytes(content)
    assert found in refused(path)


def test_an_empty_file_says_so(tmp_path):
    path = tmp_path / "a.jpg"
    path.touch()
    assert "0 bytes" in refused(path)
    assert "0 bytes" in refused(b"")


def test_a_missing_file_says_so(tmp_path):
    assert "no such file" in refused(tmp_path / "a.jpg")
    (tmp_path / "b").touch()
    assert "part of its path" in refused(tmp_path / "b" / "a.jpg")


def test_a_folder_is_told_from_a_file(tmp_path):
    assert "it is a folder" in refused(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
@pytest.mark.timeout(10)
def test_a_pipe_is_refused_without_waiting(tmp_path):
    os.mkfifo(tmp_path / "a.jpg")
    assert "it is a pipe" in refused(tmp_path / "a.jpg")


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no devices here")
def test_a_device_is_refused():
    assert "it is a device" in refused("/dev/zero")


def test_a_socket_is_refused(tmp_path):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s"))
        assert "socket" in refused(tmp_path / "s")


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may read everything")
def test_a_forbidden_file_says_so(tmp_path):
    path = tmp_path / "a.jpg"
    path.write_bytes(b"x")
    path.chmod(0)
    assert "permission" in refused(path)


def test_a_forbidden_file_is_explained():
    from beholder.media.files import explain

    assert "not permitted" in explain(PermissionError(13, "Permission denied"))
    assert "disk" in explain(OSError(5, "Input/output error"))


def test_a_link_to_itself_says_so(tmp_path):
    (tmp_path / "a.jpg").symlink_to(tmp_path / "a.jpg")
    assert "leads back to itself" in refused(tmp_path / "a.jpg")


def test_a_name_with_a_zero_byte_says_so():
    assert "rename" in refused("a\0b.jpg")


def test_a_name_that_is_no_utf8_opens(make, tmp_path):
    name = os.fsencode(tmp_path) + b"/caf\xe9.png"
    store = io.BytesIO()
    Image.fromarray(make.picture()).save(store, "PNG")
    Path(os.fsdecode(name)).write_bytes(store.getvalue())
    assert one(os.fsdecode(name)).shape == (48, 64, 3)
    clip = os.fsencode(tmp_path) + b"/caf\xe9.mp4"
    make.clip(tmp_path / "c.mp4", [make.picture()] * 2).rename(os.fsdecode(clip))
    assert read(os.fsdecode(clip), RULE).media == "video"


@pytest.mark.parametrize("name", ["concat:a.mp4", "http:clip", "a%03d.mp4", "-", "a b?.mp4"])
def test_a_name_is_never_an_address(make, tmp_path, monkeypatch, name):
    make.clip(tmp_path / "x.mp4", [make.picture()] * 2).rename(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    assert len(list(read(name, RULE).pictures)) == 4


def test_arrays_of_bytes_sixteen_bits_and_floats_are_read(make):
    data = make.picture()
    assert np.array_equal(one(data), data)
    assert np.array_equal(one(data.astype(np.uint16) * 257), data)
    assert np.array_equal(one((data / 255).astype(np.float32)), data)
    assert np.array_equal(one(data / 255), data)
    assert np.array_equal(one(data[..., 0])[..., 2], data[..., 0])
    assert np.array_equal(one(data[..., :1])[..., 2], data[..., 0])


def test_an_array_with_alpha_lies_on_white():
    array = np.zeros((4, 4, 4), np.uint8)
    assert one(array).min() == 255
    assert read(array, RULE).notes == ("alpha on white",)


def test_an_array_that_is_read_is_not_tied_to_the_result(make):
    array = make.picture()
    found = one(array)
    array[:] = 0
    assert found.max() > 0


@pytest.mark.parametrize(
    ("array", "named"),
    [
        (np.zeros(3), "(3,)"),
        (np.zeros((3, 4, 5), np.uint8), "(3, 4, 5)"),
        (np.zeros((1, 3, 8, 8), np.float32), "(1, 3, 8, 8)"),
        (np.zeros((4, 4, 3), np.int64), "int64"),
        (np.zeros((4, 4, 3), bool), "bool"),
        (np.zeros((4, 4), object), "object"),
    ],
)
def test_an_array_of_another_shape_or_type_is_refused_with_both(array, named):
    with pytest.raises(UsageError, match="height × width") as caught:
        read(array, RULE)
    assert named in str(caught.value)


def test_a_float_array_up_to_255_is_refused_with_its_range():
    assert "to 200;" in refused(np.full((4, 4, 3), 200.0))
    assert "nan" in refused(np.full((4, 4, 3), np.nan))


def test_an_array_without_pixels_is_refused():
    assert "0×4" in refused(np.zeros((4, 0, 3), np.uint8))


def test_anything_else_is_refused_by_its_type():
    with pytest.raises((UsageError, TypeError), match="int"):
        read.__wrapped__(7, RULE) if hasattr(read, "__wrapped__") else read(7, RULE)


def test_a_pillow_image_follows_the_rule_of_files(make, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    path = tmp_path / "a.jpg"
    Image.fromarray(make.picture()).save(path, exif=exif)
    with Image.open(path) as image:
        assert np.array_equal(one(image), one(path))
    assert one(Image.new("LA", (3, 2), (0, 0))).min() == 255
    assert one(Image.new("F", (3, 2), 0.5))[0, 0].tolist() == [128, 128, 128]


def test_a_pillow_image_whose_file_is_damaged_is_refused(make):
    store = io.BytesIO()
    Image.fromarray(make.picture(300, 200)).save(store, "PNG")
    image = Image.open(io.BytesIO(store.getvalue()[:2000]))
    assert "cannot be decoded" in refused(image)


def test_bytes_and_path_give_the_same_pixels(make, tmp_path):
    path = make.clip(tmp_path / "x.mp4", [make.picture(seed=s) for s in range(8)])
    for a, b in zip(read(path, RULE).pictures, read(path.read_bytes(), RULE).pictures, strict=True):
        assert np.array_equal(a.pixels, b.pixels)


def test_reading_in_many_threads_gives_the_same_and_warns_nobody(make, tmp_path):
    paths = []
    for index, form in enumerate(("JPEG", "PNG", "TIFF", "GIF", "WEBP")):
        paths.append(tmp_path / str(index))
        Image.fromarray(make.picture(seed=index)).save(paths[-1], form)
    paths.append(make.clip(tmp_path / "x.mp4", [make.picture()] * 5))
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ")).tobytes()
    lab = Image.new("LAB", (300, 200), (150, 160, 100))
    lab.save(tmp_path / "lab", "TIFF")
    Image.fromarray(make.picture()).save(tmp_path / "icc", "PNG", icc_profile=profile)
    paths += [tmp_path / "lab", tmp_path / "icc"]
    wanted = [[p.pixels for p in read(path, RULE).pictures] for path in paths]
    wrong = []

    def work():
        for path, pictures in zip(paths, wanted, strict=True):
            found = [p.pixels for p in read(path, RULE).pictures]
            if not all(np.array_equal(a, b) for a, b in zip(found, pictures, strict=True)):
                wrong.append(path)

    with warnings.catch_warnings(record=True) as caught:
        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert wrong == []
    assert caught == []


@pytest.mark.parametrize("form", ["JPEG", "PNG", "TIFF"])
def test_a_thumbnail_is_small_upright_and_srgb(make, tmp_path, form):
    exif = Image.Exif()
    exif[0x0112] = 6
    path = tmp_path / "a"
    picture = Image.fromarray(make.picture(640, 480))
    picture.save(path, form, exif=exif)
    small = thumbnail(path, 160)
    assert (small.size, small.mode) == ((120, 160), "RGB")
    wanted = picture.transpose(Image.Transpose.ROTATE_270).resize((120, 160), Image.Resampling.BOX)
    assert np.abs(np.asarray(small).astype(int) - np.asarray(wanted).astype(int)).mean() < 4


def test_a_thumbnail_is_never_larger_than_the_picture(make, tmp_path):
    Image.fromarray(make.picture(20, 10)).save(tmp_path / "a.jpg")
    assert thumbnail(tmp_path / "a.jpg", 160).size == (20, 10)


def test_the_thumbnail_of_a_clip_is_its_middle(make, tmp_path):
    frames = [np.full((32, 64, 3), 20 * index, np.uint8) for index in range(10)]
    path = make.clip(tmp_path / "x.mp4", frames)
    small = thumbnail(path, 32)
    assert small.size == (32, 16)
    assert abs(np.asarray(small).mean() - 100) < 4


def test_a_thumbnail_has_the_errors_of_reading(tmp_path):
    with pytest.raises(MediaError, match="no such file"):
        thumbnail(tmp_path / "a.jpg", 160)


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("a.jpg", "image"), ("A.JPEG", "image"), ("x/y.heic", "image"), ("a.tif", "image"),
        ("a.gif", "image"), ("a.mp4", "video"), ("a.MOV", "video"), ("a.webm", "video"),
        ("a.txt", None), ("Thumbs.db", None), (".DS_Store", None), ("._a.jpg", None),
        (".a.jpg", None), ("jpg", None), ("", None), ("a.jpg.part", None),
    ],
)  # fmt: skip
def test_names_hint_at_what_they_are(name, what):
    assert hint(name) == what


@given(st.binary(max_size=300))
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_a_kind_or_a_sentence(head):
    assert describe(head)
    with contextlib.suppress(MediaError):
        assert sniff(head).family in {"still", "clip"}
