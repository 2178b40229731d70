"""Animations are clips."""

import io

import numpy as np
import pytest
from PIL import Image

from beholder.errors import MediaError
from beholder.media import limits
from beholder.media.reading import read
from beholder.media.sampling import FrameRule

FORMS = ["GIF", "WEBP", "PNG", "AVIF"]


def animation(form, durations, size=(16, 12)):
    frames = [Image.new("RGB", size, (40 * index, 40 * index, 40 * index)) for index in
              range(len(durations))]  # fmt: skip
    store = io.BytesIO()
    frames[0].save(
        store, format=form, save_all=True, append_images=frames[1:], duration=durations, quality=95
    )
    return store.getvalue()


def shown(frames):
    found = [round(float(picture.pixels.mean()) / 40) for picture in frames.pictures]
    frames.close()
    return found


@pytest.mark.parametrize("form", FORMS)
def test_an_animation_is_a_clip_with_its_duration(form):
    frames = read(animation(form, [100, 200, 300, 400]), FrameRule.parse("10/s"))
    assert frames.media == "video"
    assert frames.seconds == pytest.approx(1.0)
    assert (frames.width, frames.height) == (16, 12)
    assert shown(frames) == [0, 1, 1, 2, 2, 2, 3, 3, 3, 3]


@pytest.mark.parametrize("form", FORMS)
def test_a_long_shown_frame_counts_for_as_long_as_it_is_shown(form):
    frames = read(animation(form, [900, 50, 50]), FrameRule.parse("4"))
    assert shown(frames) == [0, 0, 0, 0]


@pytest.mark.parametrize("form", ["GIF", "PNG"])
def test_a_frame_without_a_duration_is_shown_a_tenth_of_a_second(form):
    assert read(animation(form, [0, 0, 0]), FrameRule.parse("8")).seconds == pytest.approx(0.3)


@pytest.mark.parametrize("form", FORMS)
def test_a_single_frame_is_a_still(form):
    frames = read(animation(form, [100]), FrameRule.parse("8"))
    assert (frames.media, frames.seconds) == ("image", None)
    assert len(list(frames.pictures)) == 1


def test_transparent_animation_lies_on_white():
    frames = [Image.new("RGBA", (8, 8), (0, 0, 0, 0)), Image.new("RGBA", (8, 8), (0, 0, 255, 255))]
    store = io.BytesIO()
    frames[0].save(store, format="PNG", save_all=True, append_images=frames[1:], duration=500)
    first, second = read(store.getvalue(), FrameRule.parse("2/s")).pictures
    assert first.pixels.min() == 255
    assert second.pixels[0, 0].tolist() == [0, 0, 255]


def test_an_endless_animation_is_refused_with_its_size(monkeypatch):
    monkeypatch.setattr(limits, "ANIMATION_PIXELS", 500)
    with pytest.raises(MediaError, match=r"4 frames of 16×12.*2 frames.*save it as a video"):
        read(animation("GIF", [100] * 4), FrameRule.parse("8"))


def test_damage_in_a_later_frame_is_an_error_when_it_is_reached():
    noise = [
        Image.fromarray(np.random.default_rng(seed).integers(0, 255, (64, 64), np.uint8))
        for seed in range(6)
    ]
    store = io.BytesIO()
    noise[0].save(store, format="PNG", save_all=True, append_images=noise[1:], duration=100)
    data = bytearray(store.getvalue())
    at = data.rindex(b"fdAT") + 40
    data[at : at + 200] = bytes(200)
    with pytest.raises(MediaError, match="PNG is damaged"):
        list(read(bytes(data), FrameRule.parse("6")).pictures)


def test_a_turned_animation_is_as_wide_as_its_frames():
    exif = Image.Exif()
    exif[0x0112] = 6
    frames = [Image.new("RGB", (20, 10), (index * 50, 0, 0)) for index in range(3)]
    store = io.BytesIO()
    frames[0].save(store, "WEBP", save_all=True, append_images=frames[1:], duration=100, exif=exif)
    found = read(store.getvalue(), FrameRule.parse("3"))
    assert (found.width, found.height) == (10, 20)
    assert {picture.pixels.shape for picture in found.pictures} == {(20, 10, 3)}
