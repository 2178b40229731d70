"""Findings that need no published example, and what holds for all of them."""

from pathlib import Path

import pytest

from beholder.levels.scale import Scale
from beholder.lint.run import checks, exit_code

DOCS = Path(__file__).parents[2] / "docs" / "lint.md"
ONE_TO_FIVE = Scale(1.0, 5.0)


def rows(count, mos=lambda n: 1 + 4 * (n * 37 % 101) / 101):
    return "path,mos\n" + "".join(f"{n}.png,{mos(n)}\n" for n in range(count))


def test_constant_opinions_are_found(lint):
    finding = lint(t=rows(10, lambda _: 3)).one("scores")
    assert (finding.severity, finding.count) == ("error", 10)
    assert "0.png: 3" in finding.examples


def test_opinions_outside_the_range_are_found_and_those_on_its_ends_are_not(lint):
    text = "path,mos\na.png,1\nb.png,5\nc.png,5.01\nd.png,0\n"
    finding = lint(scale=ONE_TO_FIVE, t=text).one("scores")
    assert (finding.severity, finding.count) == ("error", 2)
    assert finding.examples == ("c.png: 5.01", "d.png: 0")


def test_a_range_that_is_hardly_used_is_found(lint):
    finding = lint(scale=Scale(0.0, 100.0), t=rows(50)).one("scores")
    assert finding.severity == "warning"
    assert "from 1 to" in finding.examples[0]


def test_rows_without_path_or_number_are_found(lint):
    report = lint(t="path,mos\n,3\na.png,\nb.png,x\nc.png,2\nd.png,4\n")
    assert {f.what: f.count for f in report.of("table")} == {
        "rows without a path": 1,
        "rows without a number": 2,
    }


def test_a_path_in_two_styles_is_one_path(lint):
    report = lint(t="path,mos\nx/a.png,3\n./x/a.png,3\nx\\a.png,3\nb.png,4\n")
    finding = report.one("repeated")
    assert (finding.severity, finding.examples) == ("warning", ("x/a.png: 3 rows",))


@pytest.mark.parametrize(("count", "severity"), [(3, "error"), (150, "warning"), (400, "note")])
def test_the_width_of_the_interval_is_told(lint, count, severity):
    assert lint(t=rows(count)).one("precision").severity == severity


def test_few_scenes_are_found_whatever_the_number_of_items(lint):
    text = "path,mos,scene\n" + "".join(f"{n}.png,{n % 97},s{n % 4}\n" for n in range(900))
    assert lint(t=text).one("precision", "few scenes").count == 4


def test_references_at_the_low_end_are_found_and_at_the_high_end_are_not_wrong(lint):
    text = "path,mos\n" + "".join(f"dist/{n}.png,{20 + n}\n" for n in range(30))
    low = text + "".join(f"refimgs/{n}.png,{n}\n" for n in range(5))
    high = text + "".join(f"refimgs/{n}.png,{60 + n}\n" for n in range(5))
    assert lint(t=low).one("direction", "references").severity == "error"
    assert not list(lint(t=high, dmos=False).of("direction"))
    assert lint(t=high).one("references").count == 5


def test_a_folder_of_originals_is_no_folder_of_references(lint):
    text = "path,mos\n" + "".join(f"original/{n}.png,{n}\n" for n in range(30))
    assert not lint(t=text).of("references")


def test_words_that_run_against_the_opinions_are_found(lint, record):
    words = ["excellent", "good", "fair", "poor", "bad"]
    finding = lint(t=[record(f"{n}.png", n, words[n // 10]) for n in range(50)]).one(
        "direction", "run"
    )
    assert finding.examples == ("49.png: 49 is called bad", "0.png: 0 is called excellent")


def test_levels_in_no_order_are_found_without_any_range(lint, record):
    words = ["bad", "poor", "fair", "good", "excellent"]
    given = [record(f"{n}.png", n, words[n // 10]) for n in range(50)]
    given[7] = record("7.png", 7, "good")
    finding = lint(t=given).one("level_rule")
    assert finding.examples == ("7.png: 7 is called good",)


def deqa(record, **more):
    rows = []
    for n in range(41):
        norm = 1 + n / 10
        level = sum(norm > 1 + 0.8 * k + 1e-8 for k in (1, 2, 3, 4))
        word = ["bad", "poor", "fair", "good", "excellent"][level]
        low = min(int(norm), 4)
        p = [0.0] * 5
        p[5 - low], p[4 - low] = 1 - (norm - low), norm - low
        rows.append(
            record(
                f"{n}.png", 20 * norm, word, gt_score=20 * norm, gt_score_norm=norm, level_probs=p
            )
        )
    rows[3] |= more
    return rows


def test_levels_and_soft_labels_of_deqa_score_are_held_to_its_own_rule(lint, record):
    report = lint(t=deqa(record))
    assert not report.of("level_rule")
    assert not report.of("soft_labels")


def test_a_wrong_soft_label_is_found_in_whichever_split_it_stands(lint):
    head = "path,mos,p_excellent,p_good,p_fair,p_poor,p_bad\n"
    good, bad = "b.png,3,0,0,1,0,0\n", "a.png,3,0,0,0.7,0,0\n"
    for train, test in ((good, bad), (bad, good)):
        finding = lint(train=head + train, test=head + test).one("soft_labels", "sum to 1")
        assert (finding.count, finding.examples) == (1, ("a.png: 0.7",))


def test_soft_labels_that_are_none_are_found(lint, record):
    report = lint(t=deqa(record, level_probs=[0.6, 0.2, 0.2, 0.05, 0.0]))
    assert report.one("soft_labels", "sum to 1").severity == "note"
    assert report.one("soft_labels", "mean").count == 1


@pytest.mark.parametrize(("count", "severity"), [(2, "note"), (5, "error")])
def test_impossible_spreads_are_an_error_where_they_are_many(lint, count, severity):
    text = "path,mos,std,n\n" + "".join(
        f"{n}.png,{1.2 if n < count else 3},1.5,20\n" for n in range(40)
    )
    finding = lint(scale=ONE_TO_FIVE, t=text).one("spread")
    assert (finding.severity, finding.count) == (severity, count)


@pytest.mark.parametrize(("count", "severity"), [(10, "note"), (30, "warning")])
def test_shares_that_do_not_mean_the_opinion_are_a_warning_where_they_are_most(
    lint, count, severity
):
    shares = "p_excellent,p_good,p_fair,p_poor,p_bad"
    text = f"path,mos,{shares}\n" + "".join(
        f"{n}.png,{3.5 if n < count else 3},0,0,1,0,0\n" for n in range(40)
    )
    finding = lint(scale=ONE_TO_FIVE, t=text).one("soft_labels")
    assert (finding.severity, finding.count) == (severity, count)


def test_a_table_with_splits_of_its_own_is_examined_by_them(lint):
    text = "path,mos,split\n" + "".join(
        f"{n}.png,{n % 89},{'train' if n % 4 else 'test'}\n" for n in range(400)
    )
    assert "on test" in lint(t=text).one("precision").what


def test_errors_come_first_and_notes_alone_are_no_failure(lint):
    findings = lint(t="path,mos\na.png,3\na.png,4\nb.png,5\n").all
    assert [f.severity for f in findings] == sorted(
        (f.severity for f in findings), key=("error", "warning", "note").index
    )
    assert exit_code(findings) == 1
    assert exit_code([f for f in findings if f.severity == "note"]) == 0
    assert exit_code([]) == 0


def test_every_finding_has_an_example_and_says_what_to_do(lint):
    findings = lint(t="path,mos\na.png,3\na.png,4\n,5\nb.png,x\n").all
    for finding in findings:
        assert finding.count >= 1
        assert 1 <= len(finding.examples) <= 3
        assert len(finding.advice) > 10


@pytest.mark.parametrize("name", checks())
def test_every_check_is_explained_in_the_documentation(name):
    assert f"`{name}`" in DOCS.read_text(encoding="utf-8")


def test_counts_are_of_rows_and_not_of_examples(lint, record):
    words = ["excellent", "good", "fair", "poor", "bad"]
    report = lint(t=[record(f"{n}.png", n, words[n // 10]) for n in range(50)])
    assert report.one("direction", "run against").count == 50
    assert report.one("scores", "range").count == 50


def test_a_direction_that_was_stated_is_called_so(lint, record):
    words = ["excellent", "good", "fair", "poor", "bad"]
    rows = [record(f"{n}.png", n, words[n // 10]) for n in range(50)]
    assert "higher was stated to be better" in lint(dmos=False, t=rows).one("direction").advice
    assert "higher is taken to be better" in lint(t=rows).one("direction", "run").advice


def test_a_list_without_answers_teaches_no_wrong_word(lint, record):
    asked = [record(f"{n}.png", n, "good") for n in range(6)]
    for each in asked:
        each["conversations"] = each["conversations"][:1]
    finding = lint(t=asked).one("level_words")
    assert (finding.severity, finding.count) == ("note", 6)
    some = [record("7.png", 7, "good"), *asked]
    finding = lint(t=some).one("level_words")
    assert (finding.severity, finding.count) == ("warning", 6)


def test_words_that_run_against_the_opinions_only_a_little_are_no_finding(lint, record):
    words = ["bad", "poor", "fair", "good", "excellent"]

    def rows(turned):
        picked = [words[(n * 7) % 5] for n in range(50)]
        falling = [words[4 - n // 10] for n in range(50)]
        mixed = [falling[n] if n % 10 < turned else picked[n] for n in range(50)]
        return [record(f"{n}.png", n, word) for n, word in enumerate(mixed)]

    found = [bool([f for f in lint(t=rows(k)).of("direction") if "run" in f.what]) for k in (3, 4)]
    assert found == [False, True]


def test_rows_are_counted_from_the_line_of_the_file(lint):
    finding = lint(t="path,mos\na.png,1\n,3\nb.png,2\n").one("table", "path")
    assert finding.examples == ("row 3",)


def test_blank_lines_and_cells_over_several_lines_do_not_shift_the_rows(lint):
    text = '\n\npath,mos,note\n\n"a.png",1,"two\r\nlines"\r\n \t\n,3,\nb.png,2,\nc.png,n/a,\n'
    found = lint(t=text)
    assert found.one("table", "path").examples == ("row 8",)
    assert found.one("table", "number").examples == ("row 10: c.png",)
