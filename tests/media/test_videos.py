"""Clips: the right frames, the right colours, in bounded memory."""

import io
import itertools
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.reformatter import ColorPrimaries, ColorTrc

from beholder.errors import MediaError
from beholder.media import hdr, limits
from beholder.media.reading import read
from beholder.media.sampling import FrameRule
from beholder.media.timeline import Timeline

DATA = Path(__file__).parents[3] / "shared/data/video"
PATCHES = [(200, 40, 60), (30, 160, 80), (20, 60, 220), (128, 128, 128), (250, 250, 250), (5, 5, 5)]
CODERS = {
    "libx264": {"crf": "2"},
    "libx265": {"crf": "2", "x265-params": "log-level=none"},
    "libvpx-vp9": {"crf": "4", "b:v": "0", "deadline": "realtime", "cpu-used": "8"},
    "libsvtav1": {"crf": "4", "preset": "10"},
}


def grey(value, width=32, height=32):
    return np.full((height, width, 3), value, np.uint8)


def steps(count):
    """Frames that say by their brightness which they are."""
    return [grey(20 + 4 * index) for index in range(count)]


def shown(frames):
    """Index of the step shown by each picture."""
    found = [round((float(picture.pixels.mean()) - 20) / 4) for picture in frames.pictures]
    frames.close()
    return found


def first(source, rule="1"):
    frames = read(source, FrameRule.parse(rule))
    try:
        return next(iter(frames.pictures)).pixels, frames
    finally:
        frames.close()


def encoded(make, frames, **options):
    store = io.BytesIO()
    make.clip(store, frames, make.Recipe(**{"format": "mp4", **options}))
    return store.getvalue()


@pytest.mark.parametrize("codec", CODERS)
@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize(("matrix", "bits"), [("601", 8), ("709", 8), ("709", 10), ("2020", 10)])
def test_colours_come_back_in_every_codec_range_matrix_and_depth(make, codec, full, matrix, bits):
    if codec == "libvpx-vp9" and bits == 10:
        pytest.skip("the bundled VP9 encoder has 8 bits only")
    look = make.Look(matrix, full, bits)
    recipe = {"codec": codec, "look": look, "options": CODERS[codec]}
    if codec == "libvpx-vp9":
        recipe["format"] = "webm"
    for colour in PATCHES:
        data = encoded(make, [make.patch(colour)] * 2, **recipe)
        found, _ = first(data)
        assert np.abs(found.astype(int) - colour).max() <= 2, (colour, found[32, 32])


def test_without_tags_small_clips_are_601_and_large_ones_709(make):
    for size, matrix in (((64, 64), "601"), ((1280, 720), "709")):
        look = make.Look(matrix, tagged=False)
        data = encoded(make, [make.patch((200, 40, 60), *size)], look=look)
        found, _ = first(data)
        assert np.abs(found.astype(int) - (200, 40, 60)).max() <= 2


def test_chroma_edges_are_interpolated_and_not_repeated(make):
    ramp = np.zeros((64, 64, 3), np.uint8)
    ramp[:, :, 0] = np.linspace(60, 220, 64)
    ramp[:, :, 2] = np.linspace(220, 60, 64)
    data = encoded(make, [ramp], options={"crf": "0"}, look=make.Look("709"))
    found, _ = first(data)
    assert np.abs(found[:, 4:-4].astype(int) - ramp[:, 4:-4]).max() <= 5


def quarters():
    picture = np.zeros((48, 64, 3), np.uint8)
    picture[:24, :32], picture[:24, 32:] = (255, 0, 0), (0, 255, 0)
    picture[24:, :32], picture[24:, 32:] = (0, 0, 255), (255, 255, 255)
    return picture


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("mirrored", [False, True])
def test_rotated_and_mirrored_phone_clips_stand_upright(make, rotation, mirrored):
    wanted = np.rot90(quarters(), rotation // 90)
    wanted = wanted[:, ::-1] if mirrored else wanted
    data = encoded(make, [quarters()], rotation=rotation, mirrored=mirrored)
    found, frames = first(data)
    assert found.shape == wanted.shape == (frames.height, frames.width, 3)
    assert np.abs(found.astype(int) - wanted.astype(int)).mean() < 6
    turned = rotation or mirrored
    assert frames.notes == (("rotation of the clip applied",) if turned else ())


@pytest.mark.parametrize("size", [(33, 17), (64, 47), (63, 48), (17, 1), (2, 2)])
def test_odd_sizes_keep_their_size(make, size):
    look = make.Look(subsampled=False)
    data = encoded(make, [make.patch((200, 40, 60), *size)], look=look)
    found, frames = first(data)
    assert found.shape == (size[1], size[0], 3)
    assert (frames.width, frames.height) == size
    assert np.abs(found.astype(int) - (200, 40, 60)).max() <= 2


CONTAINERS = {
    "mp4": ("libx264", "mp4"),
    "mov": ("libx264", "mov"),
    "mkv": ("libx264", "matroska"),
    "webm": ("libvpx-vp9", "webm"),
    "avi": ("mpeg4", "avi"),
    "ts": ("libx264", "mpegts"),
    "flv": ("libx264", "flv"),
    "av1": ("libsvtav1", "mp4"),
    "hevc": ("libx265", "mp4"),
}


@pytest.mark.parametrize("name", CONTAINERS)
def test_frames_are_chosen_by_time_in_every_container(make, name, tmp_path):
    codec, form = CONTAINERS[name]
    path = tmp_path / f"clip.{name}"
    options = CODERS.get(codec, {"qscale": "2"})
    make.clip(path, steps(40), make.Recipe(codec, 10, format=form, options=options))
    frames = read(path, FrameRule.parse("8"))
    assert frames.media == "video"
    assert frames.seconds == pytest.approx(4.0, abs=0.21)
    found = shown(frames)
    wanted = [int(moment * 10) for moment in FrameRule.parse("8").times(frames.seconds)]
    assert all(abs(a - b) <= 1 for a, b in zip(found, wanted, strict=True)), found
    assert frames.pictures is not None


def test_the_frame_at_a_moment_is_the_last_that_is_not_after_it(make):
    data = encoded(make, steps(20), rate=10)
    assert shown(read(data, FrameRule.parse("4/s"))) == [0, 2, 5, 7, 10, 12, 15, 17]


def test_variable_frame_rate_is_sampled_by_time_and_not_by_index(make):
    stamps = [0, 100, 200, 300, 2000, 3900, 3950]
    data = encoded(make, steps(7), stamps=stamps, options={"crf": "4", "bf": "0"})
    assert shown(read(data, FrameRule.parse("1/s"))) == [0, 3, 4, 4, 6]


def test_pictures_carry_the_moment_they_stand_for(make):
    frames = read(encoded(make, steps(20)), FrameRule.parse("4"))
    assert [picture.seconds for picture in frames.pictures] == [0.25, 0.75, 1.25, 1.75]


@pytest.mark.parametrize("count", [1, 2])
def test_the_shortest_clip_gives_frames(make, count):
    for rule, wanted in (("8", 8), ("1/s", 1)):
        assert len(shown(read(encoded(make, steps(count)), FrameRule.parse(rule)))) == wanted


@pytest.mark.parametrize(
    ("codec", "form"),
    [("libx264", "mp4"), ("libx265", "mp4"), ("libx264", "matroska"), ("mpeg4", "avi"),
     ("libx264", "mpegts"), ("mpeg2video", "mpegts")],
)  # fmt: skip
def test_jumping_finds_the_same_frames_as_decoding_on(make, codec, form, monkeypatch):
    rng = np.random.default_rng(5)
    frames = [rng.integers(0, 255, (4, 4, 3)).repeat(8, 0).repeat(8, 1).astype(np.uint8)
              for _ in range(150)]  # fmt: skip
    options = {**CODERS.get(codec, {"qscale": "3"}), "bf": "3"}
    data = encoded(make, frames, codec=codec, format=form, gop=10, options=options)
    jumps = []
    land = Timeline._land
    monkeypatch.setattr(Timeline, "_land", lambda self, *a: jumps.append(a) or land(self, *a))
    jumped = [p.pixels for p in read(data, FrameRule.parse("6")).pictures]
    assert jumps or form == "mpegts"
    monkeypatch.setattr(Timeline, "_skip_to", lambda self, target: None)
    walked = [p.pixels for p in read(data, FrameRule.parse("6")).pictures]
    assert all(np.array_equal(a, b) for a, b in zip(jumped, walked, strict=True))


def test_a_transport_stream_without_an_index_is_jumped_through_too(make, monkeypatch):
    frames = [make.picture(32, 32, seed % 60) for seed in range(400)]
    data = encoded(make, frames, format="mpegts", gop=10)
    land, landed = Timeline._land, []
    monkeypatch.setattr(
        Timeline, "_land", lambda self, *a: landed.append(land(self, *a)) or landed[-1]
    )
    jumped = [p.pixels for p in read(data, FrameRule.parse("2")).pictures]
    monkeypatch.setattr(Timeline, "_skip_to", lambda self, target: None)
    walked = [p.pixels for p in read(data, FrameRule.parse("2")).pictures]
    assert any(landed)
    assert all(np.array_equal(a, b) for a, b in zip(jumped, walked, strict=True))


def test_no_jump_is_made_where_no_keyframe_lies_between(make, monkeypatch):
    data = encoded(make, steps(40), gop=1000, options={"crf": "4", "sc_threshold": "0"})
    monkeypatch.setattr(Timeline, "_jump", lambda self, stamp: pytest.fail("jumped"))
    assert len(shown(read(data, FrameRule.parse("8")))) == 8


def test_a_clip_is_decoded_only_as_far_as_it_is_read(make, monkeypatch):
    counted = itertools.count()
    at = Timeline.at
    monkeypatch.setattr(Timeline, "at", lambda self, s: (next(counted), at(self, s))[1])
    frames = read(encoded(make, steps(40)), FrameRule.parse("8"))
    iterator = iter(frames.pictures)
    next(iterator)
    next(iterator)
    frames.close()
    assert next(counted) == 2


def test_a_duration_that_is_not_stated_is_measured(make, tmp_path):
    class Pipe(io.BytesIO):
        def seekable(self):
            return False

    store = Pipe()
    with av.open(store, "w", format="matroska") as out:
        stream = out.add_stream("libx264", rate=10, options={"crf": "4"})
        stream.width = stream.height = 32
        stream.pix_fmt = "yuv420p"
        for pixels in steps(30):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        out.mux(stream.encode(None))
    data = store.getvalue()
    at = data.find(b"\x44\x89\x88")
    data = data if at < 0 else data[:at] + b"\xec\x89\x88" + data[at + 3 :]
    frames = read(data, FrameRule.parse("3"))
    assert frames.seconds == pytest.approx(3.0, abs=0.01)
    assert len(list(frames.pictures)) == 3


def test_a_clip_that_does_not_start_at_zero_starts_at_its_first_frame(make):
    data = encoded(make, steps(20), format="mpegts")
    with av.open(io.BytesIO(data)) as source:
        assert source.streams.video[0].start_time > 0
    assert shown(read(data, FrameRule.parse("1/s"))) == [0, 10]


def test_sound_alone_is_no_picture(make, tmp_path):
    path = make.sound(tmp_path / "song.mp4")
    with pytest.raises(MediaError, match=r"MP4 file has no picture in it"):
        read(path, FrameRule.parse("8"))


def test_cover_art_is_no_clip(make, tmp_path):
    plain, path = make.sound(tmp_path / "plain.mp4"), tmp_path / "song.mp4"
    cover = io.BytesIO()
    from PIL import Image

    Image.fromarray(make.picture()).save(cover, "PNG")
    with av.open(str(plain)) as source, av.open(str(path), "w") as out:
        sound = out.add_stream_from_template(source.streams.audio[0])
        art = out.add_stream("png", rate=1)
        art.width, art.height, art.pix_fmt = 64, 48, "rgb24"
        art.disposition = av.stream.Disposition.attached_pic
        packet = av.Packet(cover.getvalue())
        packet.stream, packet.pts, packet.dts = art, 0, 0
        packet.is_keyframe = True
        out.mux(packet)
        for packet in source.demux(audio=0):
            if packet.dts is not None:
                packet.stream = sound
                out.mux(packet)
    with pytest.raises(MediaError, match="only sound with a cover picture"):
        read(path, FrameRule.parse("8"))


def test_longer_sound_does_not_make_a_whole_clip_broken(make):
    data = encoded(make, steps(20), format="matroska", sound_seconds=6.0)
    frames = read(data, FrameRule.parse("8"))
    assert len(shown(frames)) == 8
    assert frames.seconds == pytest.approx(2.0, abs=0.11)


@pytest.mark.parametrize("form", ["mp4", "matroska", "avi"])
def test_a_clip_cut_in_half_says_where_it_breaks_off(make, form, tmp_path):
    path = tmp_path / "clip"
    fast = {"movflags": "+faststart"} if form == "mp4" else {}
    dice = np.random.default_rng(3)
    noise = [dice.integers(0, 255, (64, 64, 3), np.uint8) for _ in range(60)]
    codec = "mpeg4" if form == "avi" else "libx264"
    make.clip(path, noise, make.Recipe(codec, format=form, container_options=fast, options={}))
    data = path.read_bytes()
    with pytest.raises(MediaError, match=r"breaks off: it states 6\.00 .* only [123]\.\d\d"):
        read(data[: len(data) // 2], FrameRule.parse("8"))


def test_damage_that_packets_do_not_show_is_noticed_when_it_is_reached(make, monkeypatch, tmp_path):
    path = tmp_path / "clip.mp4"
    dice = np.random.default_rng(3)
    noise = [dice.integers(0, 255, (64, 64, 3), np.uint8) for _ in range(60)]
    fast = {"movflags": "+faststart"}
    make.clip(path, noise, make.Recipe(container_options=fast, gop=1000))
    data = bytearray(path.read_bytes())
    data[len(data) // 2 :] = bytes(len(data) - len(data) // 2)
    frames = read(bytes(data), FrameRule.parse("8"))
    with pytest.raises(MediaError, match=r"breaks off: only [23]\.\d\d of its 6\.00 seconds"):
        list(frames.pictures)


def test_a_whole_clip_of_every_container_has_no_note(make):
    for name, (codec, form) in CONTAINERS.items():
        options = CODERS.get(codec, {"qscale": "2"})
        data = encoded(make, steps(20), codec=codec, format=form, options=options)
        assert read(data, FrameRule.parse("8")).notes == (), name


def test_a_slightly_short_tail_is_only_noted(make, tmp_path):
    path = tmp_path / "clip.mp4"
    noise = [make.picture(64, 64, seed) for seed in range(60)]
    fast = {"movflags": "+faststart"}
    make.clip(path, noise, make.Recipe(rate=10, container_options=fast, gop=5))
    data = path.read_bytes()
    frames = read(data[: int(len(data) * 0.97)], FrameRule.parse("8"))
    assert len(list(frames.pictures)) == 8
    assert any("before its stated duration" in note for note in frames.notes)


def test_damage_in_the_middle_is_skipped(make):
    data = bytearray(encoded(make, [make.picture(64, 64, s) for s in range(60)], gop=10))
    middle = len(data) // 2
    data[middle : middle + 300] = bytes(300)
    frames = read(bytes(data), FrameRule.parse("8"))
    assert len(list(frames.pictures)) == 8


def test_a_clip_without_a_decodable_frame_is_an_error(make, tmp_path):
    path = tmp_path / "clip.mp4"
    make.clip(path, steps(10), make.Recipe(container_options={"movflags": "+faststart"}))
    data = bytearray(path.read_bytes())
    start = data.index(b"mdat") + 4
    data[start:] = bytes(len(data) - start)
    with pytest.raises(MediaError, match="no frame of this clip can be decoded"):
        read(bytes(data), FrameRule.parse("8"))


@pytest.mark.parametrize("keep", [8, 40, 400])
def test_a_clip_without_its_index_is_damaged_or_cut_short(make, keep):
    with pytest.raises(MediaError, match="MP4 clip is damaged or cut short"):
        read(encoded(make, steps(10))[:keep], FrameRule.parse("8"))


def test_a_clip_over_the_pixel_limit_is_refused_before_decoding(make, monkeypatch):
    data = encoded(make, [make.picture(64, 64)])
    monkeypatch.setattr(limits, "PIXELS", 1000)
    with pytest.raises(MediaError, match="64×64"):
        read(data, FrameRule.parse("8"))


def pq(nits):
    m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
    y = (np.asarray(nits, float) / 10_000) ** m1
    return ((c1 + c2 * y) / (1 + c3 * y)) ** m2


def hdr_clip(make, signal, transfer):
    pixels = np.broadcast_to(np.asarray(signal, float), (64, 64, 3))
    look = make.Look("2020", False, 10, transfer=transfer, primaries=ColorPrimaries.BT2020)
    options = {
        "crf": "2",
        "x265-params": "log-level=none:colorprim=bt2020:colormatrix=bt2020nc:transfer="
        + ("smpte2084" if transfer == ColorTrc.SMPTE2084 else "arib-std-b67"),
    }
    return encoded(make, [pixels] * 2, codec="libx265", look=look, options=options)


def test_reference_white_of_pq_is_light_and_peak_is_white(make):
    for nits, low, high in ((203, 205, 235), (1000, 254, 255), (4000, 254, 255), (0, 0, 1)):
        found, frames = first(hdr_clip(make, [pq(nits)] * 3, ColorTrc.SMPTE2084))
        assert low <= found[32, 32].min() <= found[32, 32].max() <= high, (nits, found[32, 32])
        assert frames.notes == ("HDR (PQ) tone-mapped to sRGB",)


def test_shadows_of_pq_are_the_same_light_in_srgb(make):
    found, _ = first(hdr_clip(make, [pq(50.0)] * 3, ColorTrc.SMPTE2084))
    linear = 50 / 203
    srgb = 255 * (1.055 * linear ** (1 / 2.4) - 0.055)
    assert np.abs(found[32, 32] - srgb).max() <= 3


def test_hlg_at_three_quarters_is_reference_white(make):
    found, frames = first(hdr_clip(make, [0.75] * 3, ColorTrc.ARIB_STD_B67))
    reference, _ = first(hdr_clip(make, [pq(203)] * 3, ColorTrc.SMPTE2084))
    assert np.abs(found[32, 32].astype(int) - reference[32, 32]).max() <= 3
    assert frames.notes == ("HDR (HLG) tone-mapped to sRGB",)


def test_a_colour_inside_srgb_keeps_its_hue_through_pq(make):
    light = np.array([60.0, 20.0, 30.0])
    to_2020 = np.array(
        [[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]]
    )
    found, _ = first(hdr_clip(make, pq(to_2020 @ light), ColorTrc.SMPTE2084))
    wanted = 255 * (1.055 * (light / 203) ** (1 / 2.4) - 0.055)
    assert np.abs(found[32, 32] - wanted).max() <= 3


def test_standard_range_in_wide_primaries_becomes_srgb(make):
    look = make.Look("2020", False, 10, primaries=ColorPrimaries.BT2020)
    data = encoded(make, [make.patch((128, 128, 128))] * 2, look=look)
    found, frames = first(data)
    assert np.abs(found.astype(int) - 128).max() <= 2
    assert frames.notes == ("wide gamut converted to sRGB",)
    red, _ = first(encoded(make, [make.patch((180, 100, 100))] * 2, look=look))
    assert red[32, 32, 0] > 185
    assert red[32, 32, 1] < 98


def test_tone_mapping_never_darkens_what_gets_brighter():
    ramp = np.linspace(0, 65535, 4096).round().astype(np.uint16)
    grey_ramp = np.repeat(ramp[None, :, None], 3, axis=2)
    for transfer in hdr.Transfer:
        levels = hdr.tone_map(grey_ramp, transfer)[0].astype(int)
        assert (np.diff(levels[:, 0]) >= 0).all()
        assert (levels.min(), levels.max()) == (0, 255)
        assert np.ptp(levels, axis=1).max() <= 1


@pytest.mark.skipif(not DATA.is_dir(), reason="the shared clips are not here")
@pytest.mark.parametrize("path", sorted(DATA.glob("*.m*")), ids=lambda path: path.name)
def test_real_clips_are_read_from_end_to_end(path):
    frames = read(path, FrameRule.parse("2/s<=12"))
    sizes = {picture.pixels.shape for picture in frames.pictures}
    frames.close()
    assert sizes == {(frames.height, frames.width, 3)}
    assert frames.seconds > 0.9


@pytest.mark.skipif(not DATA.is_dir(), reason="the shared clips are not here")
def test_eight_and_ten_bit_versions_of_a_clip_look_alike():
    eight, ten = (
        [p.pixels.astype(int) for p in read(DATA / name, FrameRule.parse("4")).pictures]
        for name in ("h264_10bits.mp4", "h265_10bits.mp4")
    )
    assert max(np.abs(a - b).mean() for a, b in zip(eight, ten, strict=True)) < 3


def test_reading_leaves_no_file_open(make, tmp_path):
    path = tmp_path / "clip.mp4"
    make.clip(path, steps(10))
    before = len(list(Path("/proc/self/fd").iterdir())) if Path("/proc/self/fd").exists() else 0
    for _ in range(3):
        list(read(path, FrameRule.parse("4")).pictures)
        frames = read(path, FrameRule.parse("4"))
        frames.close()
    after = len(list(Path("/proc/self/fd").iterdir())) if before else 0
    assert after <= before
