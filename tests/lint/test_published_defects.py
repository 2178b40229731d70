"""Replicas of the defects in the lists that Q-Align published: each is found."""

import json
from pathlib import Path

import pytest

from beholder.datasets.card import Bounds
from beholder.levels.targets import hard_level
from beholder.lint.case import WORDS

STATS = Path(__file__).parents[3] / "shared" / "fixtures" / "stats"
KADID = Bounds(1.07, 4.87)


def kadid(record, scenes=range(1, 9), kinds=range(1, 6)):
    """Records as those of KADID-10k: quality falls as strength grows, levels by the rule."""
    made = []
    for scene in scenes:
        for kind in kinds:
            for strength in range(1, 6):
                mos = round(4.9 - 0.7 * strength - 0.05 * kind + 0.01 * scene, 2)
                word = WORDS[hard_level(mos, KADID.low, KADID.high)]
                made.append(record(f"kadid10k/I{scene:02}_{kind:02}_{strength:02}.png", mos, word))
    return made


def test_a_list_as_it_should_be_has_nothing_graver_than_its_size(lint, record):
    report = lint(card="kadid", train=kadid(record), test=kadid(record, range(9, 12)))
    assert report.graver_than_a_note() == {"precision"}


def test_answers_outside_the_vocabulary_are_found(lint, record):
    words = ["average", "moderate", "pristine", "below average", "very good"]
    bad = [record(f"kadid10k/I65_21_0{n}.png", 3.0, word) for n, word in enumerate(words, 1)]
    finding = lint(card="kadid", train=kadid(record) + bad).one("level_words")
    assert (finding.severity, finding.count) == ("error", 5)
    assert "kadid10k/I65_21_01.png: average" in finding.examples


def test_levels_that_another_rule_gave_are_found(lint, record):
    bad = [
        record("kadid10k/I65_22_01.png", 3.35, "good"),
        record("kadid10k/I65_22_02.png", 2.0, "fair"),
    ]
    finding = lint(card="kadid", train=kadid(record) + bad).one("level_rule")
    assert finding.count == 2
    assert "I65_22_01.png: 3.35 is fair, the file says good" in finding.examples[0]


def test_the_recorded_defects_are_found_and_the_recorded_good_levels_are_not(lint, record):
    path = STATS / "third_party" / "mos_to_level_qalign.json"
    if not path.exists():
        pytest.skip("the recorded Q-Align labels are not here")
    part = json.loads(path.read_text())["datasets"]["kadid"]
    good = [record(f"{n}.png", p["score"], p["level"]) for n, p in enumerate(part["pairs"])]
    report = lint(bounds=Bounds(part["lo"], part["hi"]), t=good)
    assert not report.of("level_rule")
    assert not report.of("level_words")
    assert not lint(t=good).of("level_rule")
    bad = [
        record(f"I{n}.png", defect["score"], defect["published_level"])
        for n, defect in enumerate(part["defect_records"])
    ]
    report = lint(bounds=Bounds(part["lo"], part["hi"]), t=good + bad)
    outside = [defect for defect in part["defect_records"] if not defect["in_vocabulary"]]
    assert outside
    assert report.one("level_words").count == len(outside)
    wrong = [
        defect
        for defect in part["defect_records"]
        if defect["in_vocabulary"] and defect["published_level"] != defect["level_by_rule"]
    ]
    assert sum(finding.count for finding in report.of("level_rule")) == len(wrong)


def live(record, word):
    """LIVE: a DMOS from 0 to 90; every fifth is an undistorted copy with 0."""
    made = []
    for n in range(100):
        dmos = 0.0 if n % 5 == 0 else 18.0 + 0.61 * n
        made.append(record(f"live/jp2k/img{n}.bmp", dmos, word(dmos), gt_score=dmos))
    return made


def inverted(dmos):
    return WORDS[hard_level(dmos, 0.0, 81.39)]


def test_a_dmos_binned_as_a_mos_is_found_by_its_card(lint, record):
    finding = lint(card="live", t=live(record, inverted)).one("direction", "levels run")
    assert finding.severity == "error"
    assert "img0.bmp: 0 is called bad" in finding.examples[0]


def test_a_dmos_taken_for_a_mos_is_found_by_the_many_undistorted_ones(lint, record):
    finding = lint(t=live(record, inverted)).one("direction", "many rows share")
    assert (finding.severity, finding.count) == ("warning", 20)
    assert "--dmos" in finding.advice


def test_levels_turned_round_as_they_should_be_are_no_finding(lint, record):
    report = lint(card="live", t=live(record, lambda d: WORDS[4 - hard_level(d, 0.0, 81.39075602)]))
    assert not [f for f in report.of("direction") if f.severity != "note"]
    assert not report.of("level_rule")


def csiq(kinds=("AWGN", "jpeg2000", "contrast", "fnoise")):
    """CSIQ's table: DMOS rises with strength."""
    rows = ["ref_name,dist_name,dmos"]
    for scene in range(12):
        for place, kind in enumerate(kinds):
            for strength in range(1, 6):
                dmos = 0.15 * strength + 0.011 * scene + 0.003 * place
                rows.append(f"r{scene}.png,csiq/r{scene}.{kind}.{strength}.png,{dmos:.4f}")
    return rows


def test_a_dmos_taken_for_a_mos_is_found_by_series_that_get_better(lint):
    finding = lint(t="\n".join(csiq())).one("direction", "series")
    assert finding.severity == "error"
    assert not lint(card="csiq", t="\n".join(csiq())).of("direction")


def test_the_column_name_dmos_is_no_statement_and_kadid_is_not_turned_round(lint, record):
    text = "dist_name,dmos\n" + "\n".join(
        f"I{s:02}_{k:02}_{n:02}.png,{4.9 - 0.7 * n + 0.01 * s - 0.02 * k:.2f}"
        for s in range(1, 9)
        for k in range(1, 4)
        for n in range(1, 6)
    )
    assert lint(t=text).one("direction").what.endswith("not stated")
    assert lint(t=text).one("direction").severity == "warning"
    assert not lint(t=text, card="kadid").of("direction")
    assert lint(t=text, dmos=True).one("direction", "series").severity == "error"


def test_rows_of_one_distortion_with_the_scores_of_another_are_found(lint):
    rows = csiq()
    noise = {row.split(",")[1]: row.split(",")[2] for row in rows if ".AWGN." in row}
    copied = [
        f"{ref},{name},{noise[name.replace('contrast', 'AWGN')] if '.contrast.' in name else score}"
        for ref, name, score in (row.split(",") for row in rows[1:])
    ]
    finding = lint(card="csiq", t="\n".join([rows[0], *copied])).one("copied")
    assert (finding.severity, finding.count) == ("error", 60)
    assert "'awgn'" in finding.what
    assert "'contrast'" in finding.what
    assert "have the same scores" in finding.what
    assert not lint(card="csiq", t="\n".join(rows)).of("copied")


def test_references_in_a_test_list_are_found(lint, record):
    finding = lint(card="live", t=live(record, lambda dmos: "")).one("references")
    assert finding.count == 20


def test_tutorial_pictures_are_found(lint):
    rows = [f"livec/{n}.bmp,{20 + n % 60}.{n % 7}" for n in range(1, 100)]
    rows += [f"livec/t{n}.bmp,50.{n}" for n in range(1, 8)]
    finding = lint(card="live-c", t="\n".join(["path,mos", *rows])).one("not_rated", "not part")
    assert finding.count == 7
    assert finding.examples[0] == "livec/t1.bmp"


def test_a_list_whose_length_nobody_published_is_told(lint, record):
    finding = lint(card="kadid", train=kadid(record)).one("not_rated", "number of rows")
    assert (finding.severity, finding.count) == ("note", 10125 - 200)


def test_pictures_and_references_on_both_sides_are_found(lint, record):
    report = lint(card="kadid", train=kadid(record), test=kadid(record, range(7, 10)))
    leak = report.one("repeated", "more than one split")
    assert (leak.severity, leak.count) == ("error", 50)
    scenes = report.one("scenes")
    assert (scenes.severity, scenes.count) == ("error", 2)
    assert "i07: test, train" in scenes.examples


def test_references_on_both_sides_are_guessed_from_names_where_nobody_says(lint, record):
    parts = {"train": kadid(record, kinds=range(1, 4)), "test": kadid(record, kinds=range(4, 6))}
    finding = lint(**parts).one("scenes")
    assert (finding.severity, finding.count) == ("warning", 8)


def test_scores_in_the_id_as_text_and_with_blanks_are_read_and_told(lint, record):
    rows = [record(f"agi-cgi/{n}.jpg", n / 20, gt_score=f"{n / 20} ") for n in range(40)]
    report = lint(t=rows)
    assert report.one("table").severity == "note"
    assert report.one("table").count == 40
    assert report.one("scores").examples == ("they run from 0 to 1.95",)


def test_two_scores_of_one_row_that_differ_are_found(lint, record):
    finding = lint(t=[record("a.png", 3.0, gt_score=4.0), record("b.png", 2.0, gt_score=2.0)])
    assert finding.one("table", "two scores").examples == ("a.png: 4, in the id 3",)


def test_two_questions_in_one_are_found(lint, record):
    fused = "How would you rate the quality of this image?\n<|image|>\nHow do you assess it?"
    rows = [record("a.png", 3.0, "fair", fused), record("b.png", 2.0, "poor")]
    finding = lint(t=rows).one("questions")
    assert finding.count == 1
    assert "image? | How do you" in finding.examples[0]


def test_two_releases_of_one_set_that_differ_are_found(lint):
    report = lint(a="path,mos\nx.png,30\ny.png,40\n", b="path,mos\nx.png,33.5\nz.png,10\n")
    assert report.one("repeated", "opinions that differ").examples == ("x.png: 30, 33.5",)


def test_a_range_that_is_not_the_one_of_the_bins_is_found_and_the_right_one_named(lint, record):
    low, high = 6.68487394958, 85.35625
    rows = [
        record(f"{n}.jpg", 7 + n * 0.39, WORDS[hard_level(7 + n * 0.39, low, high)])
        for n in range(200)
    ]
    finding = lint(bounds=Bounds(0.0, 100.0), t=rows).one("level_rule")
    assert finding.count > 20
    assert "bounds of about 6." in finding.advice
    assert "and 85." in finding.advice
    assert not lint(bounds=Bounds(low, high), t=rows).of("level_rule")


def test_two_clips_of_one_name_are_found(lint):
    finding = lint(t="path,mos\na/clip.mp4,1\nb/clip.mp4,5\nc/other.mp4,3\n").one("same_name")
    assert (finding.severity, finding.count) == ("warning", 1)
    assert finding.examples == ("a/clip.mp4 and b/clip.mp4",)
    assert lint(t="path,mos\na/x.png,1\nb/x.png,5\n").one("same_name").severity == "note"


def test_a_spread_on_another_scale_than_the_opinion_is_found(lint):
    from beholder.levels.scale import Scale

    rows = "\n".join(f"{n}.png,{20 + n},0.5" for n in range(60))
    report = lint(scale=Scale(0.0, 100.0), t=f"path,mos,std\n{rows}\n")
    assert report.one("spread").severity == "warning"
    rows = "\n".join(f"{n}.png,{1 + n / 20},19.0" for n in range(60))
    report = lint(scale=Scale(1.0, 5.0), t=f"path,mos,std\n{rows}\n")
    assert report.one("spread").severity == "error"
