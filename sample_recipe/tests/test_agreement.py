"""The two recipes are one: same parameters, same metrics, and much the same opinion of a review."""

from __future__ import annotations

import pytest
from recipe_kit.project import Project
from recipe_kit.testing import Subject, read_scores


@pytest.fixture(scope="module")
def subjects(request: pytest.FixtureRequest) -> list[Subject]:
    project = Project.load(request.config.rootpath)
    return [Subject(project, name) for name in ("sentiment", "sentiment-spark")]


def test_both_take_the_same_parameters(subjects: list[Subject]) -> None:
    pandas, spark = (subject.traits.parameters for subject in subjects)
    assert pandas == spark


def test_both_measure_the_same(subjects: list[Subject]) -> None:
    pandas, spark = (subject.trained.metrics for subject in subjects)
    assert list(pandas) == list(spark)
    assert pandas == pytest.approx(spark, abs=0.1)


def test_both_score_in_the_same_shape_and_mostly_agree(subjects: list[Subject]) -> None:
    pandas, spark = (read_scores(subject.score_result) for subject in subjects)
    assert list(pandas.columns) == list(spark.columns)
    # Not always: each library hashes words in its own way, so that other words share a bucket.
    assert (pandas["prediction"] == spark["prediction"]).mean() > 0.9
