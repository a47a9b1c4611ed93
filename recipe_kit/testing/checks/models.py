"""Checks of saved models: whatever scores later has only these."""

from __future__ import annotations

from recipe_kit.testing.checks.registry import check
from recipe_kit.testing.checks.training import TOLERANCE
from recipe_kit.testing.findings import Finding, NotApplicableError
from recipe_kit.testing.fresh import fresh_process
from recipe_kit.testing.subject import Subject
from recipe_kit.testing.tables import differences


@check(remedy="return a model that can be pickled (no lambdas, open files or sessions), or override `load_model`")
def saved_model_loads_in_a_fresh_process(subject: Subject) -> None:
    """The model that training saved can be loaded by a process that has not trained it.

    Training and scoring are days and machines apart. A class that only the training process defined, or a file that
    only it had, is not there when the model is needed.
    """
    error = fresh_process(subject).observations.loaded.error
    if error is not None:
        raise Finding(f"loading the model in a fresh process fails: {error}")


@check(remedy="keep everything that `score` needs in the model that `train` returns")
def saved_model_scores_alone(subject: Subject) -> None:
    """A new instance of the recipe in a fresh process gives the same scores from the saved model alone.

    What `train` leaves on `self`, in a module's variable or in a file of its own is not there when another process
    scores; the scores are then an error, or quietly other ones.
    """
    fresh = fresh_process(subject)
    step = fresh.observations.scored
    if not step.reached:
        raise NotApplicableError("the model cannot be loaded, see 'saved_model_loads_in_a_fresh_process'")
    if step.error is not None:
        raise Finding(f"scoring the sample in a fresh process fails: {step.error}")
    changes = differences(fresh.reloaded_scores, subject.scores, tolerance=TOLERANCE)
    if changes:
        raise Finding(f"scores in a fresh process are other ones than in the process that trained: {changes[0]}")


@check(remedy="seed every generator with `self.context.seed`: `random_state=self.context.seed`, `seed=` in Spark ML")
def same_seed_gives_the_same_scores(subject: Subject) -> None:
    """Training twice with the same seed, in two processes, gives models with the same scores.

    Without that, nobody can tell whether a change of the data, of a parameter or of the code made a model better, or
    make a model again that was lost.
    """
    expected = subject.scores
    fresh = fresh_process(subject)
    step = fresh.observations.retrained
    if not step.reached:
        raise NotApplicableError("the model cannot be used in a fresh process, see 'saved_model_scores_alone'")
    if step.error is not None:
        raise Finding(f"training again in a fresh process fails: {step.error}")
    changes = differences(fresh.retrained_scores, expected, tolerance=TOLERANCE)
    if changes:
        raise Finding(f"two models trained with seed 0 give other scores: {changes[0]}")
