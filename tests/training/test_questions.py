"""What is asked while learning."""

from dataclasses import replace
from pathlib import Path

import pytest

from beholder.prompts import QUALITY_QUESTIONS
from beholder.recipes import recipe
from beholder.training.lesson import Lesson
from beholder.training.order import order
from beholder.training.questions import POOLS, STANDARD, Questions, asked

PICTURE = Lesson(Path("a.png"), "quality", "image", 0, 3.0, 0.5, 2, (0.0, 0.0, 1.0, 0.0, 0.0))


def test_no_published_question_is_the_fused_one_and_none_stands_twice():
    for questions in POOLS.values():
        assert len(set(questions)) == len(questions)
        assert all(question.count("?") + question.count(".") == 1 for question in questions)


def test_the_question_of_scoring_is_among_those_that_are_learnt():
    for place, prompt in STANDARD.items():
        assert prompt.question in POOLS[place]


def test_what_is_drawn_depends_on_seed_epoch_and_row_alone():
    one = recipe.load("one-align")
    ask = Questions(one, seed=3)
    again = Questions(replace(one, name="other"), seed=3)
    places = [(epoch, row) for epoch in range(4) for row in range(50)]
    drawn = [ask(PICTURE, *place) for place in places]
    assert drawn == [again(PICTURE, *place) for place in reversed(places)][::-1]
    assert {prompt.question for prompt in drawn} == set(QUALITY_QUESTIONS)
    assert {prompt.opening for prompt in drawn} == {"The quality of the image is"}
    other = Questions(one, seed=4)
    assert drawn != [other(PICTURE, *place) for place in places]


def test_without_a_pool_it_is_always_the_question_of_scoring():
    ask = Questions(recipe.load("iris"), seed=0, pool=False)
    assert {ask(PICTURE, epoch, 0) for epoch in range(20)} == {STANDARD["quality", "image"]}


def test_words_of_a_recipe_of_its_own_are_taught_as_they_are():
    own = {"question": "Wie gut ist das Bild?", "opening": "Das Bild ist"}
    german = replace(recipe.load("iris"), prompts={"quality": {"image": own}})
    ask = Questions(german, seed=0)
    assert {ask(PICTURE, 0, row).question for row in range(20)} == {own["question"]}


@pytest.mark.parametrize(
    ("model", "task", "opening"),
    [
        ("one-align", "quality", "The quality of the video is"),
        ("one-align", "aesthetics", "The aesthetics of the video is"),
        ("deqa-score", "quality", "The quality of the image is"),
        ("iris", "quality", "The quality of the image is"),
    ],
)
def test_a_clip_is_asked_about_as_when_scoring(model, task, opening):
    assert asked(recipe.load(model), task, "video").opening == opening


def test_weights_say_how_often_rows_of_a_set_are_drawn():
    lessons = [replace(PICTURE, set=number % 2) for number in range(40)]
    rows = order(lessons, [2.0, 0.5], seed=0, epoch=0)
    of = [lessons[row].set for row in rows]
    assert (of.count(0), of.count(1)) == (40, 10)
    halves = [set(order(lessons, [2.0, 0.5], 0, epoch).tolist()) for epoch in range(8)]
    assert set.union(*halves) == set(range(40))
    assert order(lessons, [2.0, 0.5], 0, 0).tolist() == rows.tolist()
