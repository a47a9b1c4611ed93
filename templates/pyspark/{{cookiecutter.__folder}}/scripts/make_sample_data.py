"""Write the sample data: opinions on products, films and restaurants, composed by a small grammar.

    python scripts/make_sample_data.py [FOLDER]

The files are the same bytes on every machine and in every version of Python. They are made to be learnable but not
easy: an opinion may be negated, hedged or set against its opposite, which a bag of words cannot always tell apart, and
a few labels are simply wrong, as they are in data that people have labelled.
"""

from __future__ import annotations

import csv
import random
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

SEED = 20_180_930
TRAINING_ROWS = 2_000
SCORING_ROWS = 500
WRONG_LABELS = 0.03
"""The share of labels that say the opposite of their sentence."""

Option = TypeVar("Option")


@dataclass(frozen=True)
class Aspect:
    """What can be said of one side of a thing."""

    good: Sequence[str]
    bad: Sequence[str]


@dataclass(frozen=True)
class Domain:
    """The words of one kind of review."""

    things: Sequence[str]
    aspects: Mapping[str, Aspect]
    praise: Sequence[str]
    complaints: Sequence[str]
    asides: Sequence[str]


DOMAINS = {
    "product": Domain(
        things=("headset", "phone case", "charger", "keyboard", "kettle", "lamp", "backpack", "speaker", "watch"),
        aspects={
            "battery": Aspect(("strong", "reliable", "long lasting"), ("weak", "unreliable", "short lived")),
            "sound": Aspect(("crisp", "clear", "rich"), ("tinny", "muffled", "scratchy")),
            "build": Aspect(("solid", "sturdy", "neat"), ("flimsy", "shaky", "sloppy")),
            "screen": Aspect(("bright", "sharp", "clear"), ("dim", "blurry", "scratched")),
            "cable": Aspect(("sturdy", "flexible", "tidy"), ("loose", "stiff", "flimsy")),
            "manual": Aspect(("helpful", "clear", "thorough"), ("useless", "confusing", "unreadable")),
            "price": Aspect(("fair", "reasonable", "low"), ("steep", "absurd", "unfair")),
            "fit": Aspect(("snug", "comfortable", "neat"), ("loose", "painful", "sloppy")),
        },
        praise=(
            "works like new after a year",
            "does all that I need",
            "was set up in a minute",
            "saved my day",
            "charges twice as fast as my old one",
        ),
        complaints=(
            "broke within a week",
            "stopped working on the first trip",
            "went straight back to the shop",
            "does half of what it says on the box",
            "arrived in pieces",
        ),
        asides=("It came on a Tuesday.", "I have the black one.", "My brother owns two of them.", "I use it at work."),
    ),
    "film": Domain(
        things=("film", "sequel", "thriller", "comedy", "documentary", "drama", "remake", "cartoon"),
        aspects={
            "plot": Aspect(("gripping", "clever", "original"), ("predictable", "confusing", "thin")),
            "acting": Aspect(("convincing", "superb", "honest"), ("wooden", "lifeless", "clumsy")),
            "script": Aspect(("witty", "sharp", "clever"), ("silly", "lazy", "clumsy")),
            "music": Aspect(("beautiful", "haunting", "superb"), ("annoying", "loud", "forgettable")),
            "ending": Aspect(("moving", "satisfying", "surprising"), ("rushed", "predictable", "silly")),
            "camera work": Aspect(("stunning", "beautiful", "elegant"), ("shaky", "lazy", "ugly")),
            "cast": Aspect(("charming", "superb", "likeable"), ("forgettable", "lifeless", "annoying")),
            "pace": Aspect(("brisk", "lively", "gripping"), ("slow", "tiring", "dull")),
        },
        praise=(
            "kept me guessing to the last minute",
            "stayed with me for days",
            "made the whole room laugh",
            "deserves every award",
            "gets better each time I see it",
        ),
        complaints=(
            "put me to sleep",
            "made no sense at all",
            "wasted two hours of my life",
            "felt like homework",
            "has one joke and tells it ten times",
        ),
        asides=("We saw it on a Sunday.", "It runs two hours.", "I had read the book.", "The seats were full."),
    ),
    "restaurant": Domain(
        things=("diner", "bistro", "cafe", "noodle bar", "pizzeria", "bakery", "grill", "tea room"),
        aspects={
            "service": Aspect(("friendly", "attentive", "quick"), ("rude", "slow", "careless")),
            "soup": Aspect(("delicious", "tasty", "rich"), ("bland", "watery", "lukewarm")),
            "menu": Aspect(("inventive", "varied", "reasonable"), ("boring", "limited", "overpriced")),
            "fish": Aspect(("fresh", "tender", "delicious"), ("stale", "greasy", "bland")),
            "coffee": Aspect(("excellent", "rich", "strong"), ("weak", "bitter", "lukewarm")),
            "waiter": Aspect(("friendly", "helpful", "attentive"), ("rude", "careless", "grumpy")),
            "bread": Aspect(("fresh", "crusty", "excellent"), ("stale", "soggy", "burnt")),
            "portion": Aspect(("generous", "tasty", "fair"), ("tiny", "greasy", "overpriced")),
        },
        praise=(
            "made us feel at home",
            "was worth the wait",
            "beats every other place in town",
            "had us back within two days",
            "cooks the way my grandmother did",
        ),
        complaints=(
            "made us wait for an hour",
            "left us hungry",
            "got our order wrong twice",
            "charged us for tap water",
            "served it cold and took its time",
        ),
        asides=("We were a party of four.", "We went for lunch.", "They close at ten.", "I had the special."),
    ),
}
DEGREES = ("", "", "", "very ", "really ", "quite ", "rather ", "so ")
HEDGES = ("I suppose ", "To be fair, ", "All in all, ", "Honestly, ", "If you ask me, ", "As far as I can tell, ")


class Author:
    """Writes reviews, one after the other, out of one source of chance."""

    def __init__(self, seed: int) -> None:
        # Of a seeded generator only random() is promised to give the same numbers in every Python version:
        # https://docs.python.org/3/library/random.html#notes-on-reproducibility
        self._chance = random.Random(seed).random

    def reviews(self) -> Iterator[tuple[str, int, str]]:
        """Yield text, label (1 praises, 0 complains) and source of one review after the other, no text twice."""
        written = set()
        while True:
            source = self._pick(tuple(DOMAINS))
            happy = self._happens(0.5)
            text = self._review(DOMAINS[source], happy)
            if text not in written:
                written.add(text)
                yield text, int(happy != self._happens(WRONG_LABELS)), source

    def _review(self, domain: Domain, happy: bool) -> str:
        form = self._pick((self._plain, self._plain, self._plain, self._experience, self._mixed, self._doubtful))
        text = form(domain, happy)
        if self._happens(0.2):
            text = self._pick(HEDGES) + _uncapitalised(text)
        text += self._pick((".", ".", ".", "!"))
        return f"{self._pick(domain.asides)} {text}" if self._happens(0.3) else text

    def _plain(self, domain: Domain, happy: bool) -> str:
        if self._happens(0.4):
            return f"{self._opinion(domain, happy)} and {_uncapitalised(self._opinion(domain, happy))}"
        return self._opinion(domain, happy)

    def _experience(self, domain: Domain, happy: bool) -> str:
        return f"This {self._pick(domain.things)} {self._pick(domain.praise if happy else domain.complaints)}"

    def _mixed(self, domain: Domain, happy: bool) -> str:
        """Return a sentence of which the second half decides; a bag of words does not know which half that is."""
        turn = self._pick(("but", "yet", "and still"))
        decision = self._pick((self._experience, self._experience, self._plain))(domain, happy)
        return f"{self._opinion(domain, not happy)}, {turn} {_uncapitalised(decision)}"

    def _doubtful(self, domain: Domain, happy: bool) -> str:
        """Return a sentence that takes its own words back, or one that says it plainly."""
        thing = self._pick(domain.things)
        if self._happens(0.4):
            never = self._pick(("not", "never", "anything but", "hardly"))
            return self._opinion(domain, not happy, degrees=(f"{never} ",))
        if happy:
            return self._pick((f"I would recommend this {thing} to anyone", f"I enjoyed this {thing} a lot"))
        return self._pick((f"I would not recommend this {thing} to anyone", f"I regret this {thing}"))

    def _opinion(self, domain: Domain, happy: bool, degrees: Sequence[str] = DEGREES) -> str:
        name = self._pick(tuple(domain.aspects))
        aspect = domain.aspects[name]
        return f"The {name} was {self._pick(degrees)}{self._pick(aspect.good if happy else aspect.bad)}"

    def _happens(self, probability: float) -> bool:
        return self._chance() < probability

    def _pick(self, options: Sequence[Option]) -> Option:
        return options[int(self._chance() * len(options))]


def _uncapitalised(sentence: str) -> str:
    return sentence if sentence.startswith("I ") else sentence[0].lower() + sentence[1:]


def write_sample_data(folder: Path) -> None:
    """Write `sample_training_data.csv`, and `sample_scoring_data.csv` without labels, into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    reviews = Author(SEED).reviews()
    training = [next(reviews) for _ in range(TRAINING_ROWS)]
    scoring = [next(reviews) for _ in range(SCORING_ROWS)]
    _write(folder / "sample_training_data.csv", ("text", "label", "source"), training)
    _write(folder / "sample_scoring_data.csv", ("text", "source"), [(text, source) for text, _, source in scoring])


def _write(path: Path, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])


if __name__ == "__main__":
    write_sample_data(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent.parent / "data")
