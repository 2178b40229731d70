"""Damaged files give frames or one sentence, never anything else. Thousands: the script."""

from pathlib import Path

import pytest

from beholder.errors import MediaError

SCRIPT = Path(__file__).parents[2] / "scripts/fuzz_media.py"


@pytest.fixture(scope="module")
def fuzz(load):
    return load(SCRIPT)


@pytest.fixture(scope="module")
def files(fuzz):
    return fuzz.samples()


def test_every_sample_is_valid_before_it_is_damaged(fuzz, files):
    assert len(files) > 30
    assert {name: fuzz.outcome(data) for name, data in files.items()} == dict.fromkeys(
        files, "frames"
    )


@pytest.mark.timeout(120)
def test_damaged_files_give_frames_or_one_sentence(fuzz, files):
    outcomes = [fuzz.outcome(data) for _, _, data in fuzz.cases(files, range(1500))]
    assert set(outcomes) == {"frames", "error"}
    assert outcomes.count("frames") > 200


def test_a_case_is_the_same_for_the_same_seed(fuzz, files):
    again = fuzz.cases(files, range(40))
    for (name, seed, data), other in zip(fuzz.cases(files, range(40)), again, strict=True):
        assert (name, seed, data) == other


def test_the_script_tells_a_crash_and_a_hang(fuzz, files, tmp_path, monkeypatch):
    store = tmp_path / "store"
    store.mkdir()
    (store / "png").write_bytes(files["png"])
    script = tmp_path / "script.py"
    script.write_text(
        SCRIPT.read_text().replace(
            "        started = time.monotonic()\n",
            "        started = time.monotonic()\n        os.abort() if seed == 3 else None\n",
        )
    )
    monkeypatch.setattr(fuzz, "__file__", str(script))
    tally, findings, _ = fuzz.watch(0, 10, store)
    assert tally["frames"] + tally["error"] == 3
    assert len(findings) == 1
    assert "png seed 3: the process died with -6" in findings[0]


def test_what_is_neither_frames_nor_error_is_found(fuzz, monkeypatch):
    def broken(data, rule):
        raise KeyError("a bug")

    monkeypatch.setattr(fuzz, "read", broken)
    with pytest.raises(KeyError):
        fuzz.outcome(b"")

    def wordy(data, rule):
        raise MediaError("two\nlines")

    monkeypatch.setattr(fuzz, "read", wordy)
    with pytest.raises(AssertionError, match="not one sentence"):
        fuzz.outcome(b"")
