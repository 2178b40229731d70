"""What a look at the files finds: missing, broken, identical, alike."""

import numpy as np
import pytest
from PIL import Image

from beholder.datasets.card import load
from beholder.lint import phash
from beholder.lint.files import look_at


@pytest.fixture
def folder(tmp_path, make_picture):
    """Twelve different pictures in two splits, as files."""
    root = tmp_path / "pictures"
    root.mkdir()
    for n in range(12):
        make_picture(n, 160, 120).save(root / f"{n}.png")
    return root


def table(extra="", count=12):
    rows = "".join(f"{n}.png,{1 + n / 4},{'test' if n % 2 else 'train'}\n" for n in range(count))
    return f"path,mos,split\n{rows}{extra}"


def test_different_pictures_are_no_finding(lint, folder):
    report = lint(root=folder, t=table())
    assert report.graver_than_a_note() == {"precision"}


def test_missing_and_broken_files_are_found(lint, folder):
    (folder / "broken.jpg").write_bytes((folder / "0.png").read_bytes()[:200])
    report = lint(root=folder, t=table("none.png,3,test\nbroken.jpg,3,test\n"))
    missing, broken = report.one("missing"), report.one("unreadable")
    assert (missing.severity, missing.count) == ("error", 1)
    assert "none.png" in missing.examples[0]
    assert (broken.severity, broken.count) == ("error", 1)
    assert "broken.jpg: " in broken.examples[0]


def test_files_with_the_same_bytes_are_found_across_splits_and_within(lint, folder):
    for name, source in (("copy.png", "0.png"), ("again.png", "2.png"), ("third.png", "4.png")):
        (folder / name).write_bytes((folder / source).read_bytes())
    report = lint(root=folder, t=table("copy.png,1,test\nagain.png,4.5,train\nthird.png,2,train\n"))
    leak = report.one("identical", "more than one split")
    assert (leak.severity, leak.count) == ("error", 1)
    assert leak.examples == ("0.png (train) = copy.png (test)",)
    assert report.one("identical", "differ").examples[0].endswith("1.5, 4.5")
    assert report.one("identical", "one opinion").severity == "note"
    assert not report.of("lookalike")


def test_a_resaved_copy_in_another_split_is_found(lint, folder):
    with Image.open(folder / "0.png") as picture:
        picture.convert("RGB").resize((96, 72)).save(folder / "small.jpg", quality=40)
    finding = lint(root=folder, t=table("small.jpg,1,test\n")).one("lookalike")
    assert finding.severity == "error"
    assert "0.png (train) looks like small.jpg (test)" in finding.examples


def test_without_splits_alike_pictures_are_a_note_unless_they_share_a_scene(lint, folder):
    with Image.open(folder / "0.png") as picture:
        picture.convert("RGB").save(folder / "jpeg.jpg", quality=40)
    rows = "0.png,1,{0}\njpeg.jpg,2,{0}\n1.png,3,b\n2.png,4,c\n"
    text = "path,mos,scene\n" + rows
    assert not lint(root=folder, t=text.format("a")).of("lookalike")
    finding = lint(root=folder, t=text.format("").replace("scene", "other")).one("lookalike")
    assert (finding.severity, finding.count) == ("note", 2)
    assert finding.examples == ("0.png looks like jpeg.jpg",)


def test_a_clip_is_looked_at_by_its_middle_frame(tmp_path, make_picture):
    av = pytest.importorskip("av")
    path = tmp_path / "clip.mp4"
    with av.open(str(path), "w") as box:
        stream = box.add_stream("mpeg4", rate=8)
        stream.width, stream.height, stream.pix_fmt = 96, 72, "yuv420p"
        for _ in range(8):
            frame = av.VideoFrame.from_image(make_picture(3))
            for packet in stream.encode(frame):
                box.mux(packet)
        for packet in stream.encode():
            box.mux(packet)
    (look,) = look_at(["clip.mp4"], [tmp_path], 1).values()
    assert look.error == ""
    assert (look.hash ^ phash.of(np.asarray(make_picture(3)))).bit_count() <= phash.NEAR


def test_each_file_is_looked_at_once_and_ticks(folder):
    ticks = []
    looks = look_at(["0.png", "1.png", "0.png"], [folder], 2, lambda: ticks.append(1))
    assert list(looks) == ["0.png", "1.png"]
    assert len(ticks) == 2


def test_the_folders_of_a_card_are_searched(tmp_path, make_picture):
    (tmp_path / "koniq").mkdir()
    make_picture(1).save(tmp_path / "koniq" / "a.png")
    (look,) = look_at(["a.png"], load("koniq").places(tmp_path), 1).values()
    assert not look.missing


def test_a_flat_picture_has_no_hash():
    assert phash.of(np.full((40, 50, 3), 127, dtype=np.uint8)) is None


def test_a_hash_survives_resaving_and_tells_pictures_apart(make_picture):
    hashes = [phash.of(np.asarray(make_picture(n, 200, 150))) for n in range(20)]
    small = [phash.of(np.asarray(make_picture(n, 200, 150).resize((96, 72)))) for n in range(20)]
    for one, other in zip(hashes, small, strict=True):
        assert (one ^ other).bit_count() <= phash.NEAR
    apart = [(a ^ b).bit_count() for n, a in enumerate(hashes) for b in hashes[:n]]
    assert min(apart) > phash.NEAR


def test_the_nearest_hash_of_another_group_is_found_by_brute_force():
    rng = np.random.default_rng(5)
    hashes = rng.integers(0, 2**63, 700, dtype=np.uint64)
    groups = rng.integers(0, 3, 700)
    index, distance = phash.nearest(hashes, groups)
    for n in (0, 511, 512, 699):
        apart = [
            (int(hashes[n] ^ hashes[m]).bit_count(), m)
            for m in range(700)
            if groups[m] != groups[n]
        ]
        assert (distance[n], index[n]) == min(apart)


def test_a_hash_without_another_group_has_no_nearest():
    _, distance = phash.nearest(np.zeros(3, dtype=np.uint64), np.zeros(3, dtype=np.int64))
    assert set(distance.tolist()) == {phash.NONE}
