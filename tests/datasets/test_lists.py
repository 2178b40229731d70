"""Lists that authors publish: LIQE's with opinions and classes, and names alone."""

import pytest

from beholder.datasets.lists import read_list
from beholder.datasets.reading import read
from beholder.errors import TableError, UsageError

LIQE = (
    "kadid10k/images/I01_01_01.png\t4.57\tgaussian blur\tanimal\tplant\tinvalid\n"
    "kadid10k/images/I02_09_03.png\t2.1\tjpeg2000 compression\tstill_life\tinvalid\tinvalid\n"
    "kadid10k/images/I03_09_03.png\t1.5\tinvalid\tinvalid\tinvalid\tinvalid\n"
)


@pytest.fixture
def write(tmp_path):
    def make(text, name="list.txt"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return make


def test_lists_of_liqe_have_the_opinion_the_distortion_and_the_scenes(write):
    table = read(write(LIQE))
    assert table.format == "liqe"
    assert [row.mos for row in table.rows] == [4.57, 2.1, 1.5]
    assert table.column("distortion") == ["blur", "jpeg2000 compression", ""]
    assert table.column("scene_class") == ["animal, plant", "still_life", ""]
    assert {row.scene for row in table.rows} == {""}


def test_lines_of_other_words_are_not_taken_for_lists_of_liqe(write):
    with pytest.raises(TableError, match="column_1, column_2, column_3"):
        read(write("a.png\t3.5\tsmear\tanimal\tinvalid\tinvalid\n"))


@pytest.mark.parametrize(
    "text",
    [
        "a.png\nb.png\n",
        "path\na.png\nb.png\n",
        "a.png\t3.5\nb.png\t2\n",
        "mos,image_name\n3.5,a.png\n2,b.png\n",
        '[{"gt_score": 3, "image": "a.png"}, {"gt_score": 3, "image": "b.png"}]',
        LIQE.replace("kadid10k/images/I01_01_01", "a").replace("kadid10k/images/I02_09_03", "b"),
    ],
)
def test_names_of_files_are_read_from_any_table_and_from_names_alone(write, text):
    assert read_list(write(text))[:2] == ("a.png", "b.png")


def test_what_names_no_files_is_refused_with_what_it_has(write, tmp_path):
    with pytest.raises(TableError, match="it has mos, colour"):
        read_list(write("mos,colour\n3,red\n"))
    with pytest.raises(UsageError, match=r"none\.txt cannot be read"):
        read_list(tmp_path / "none.txt")
