"""What each fold tests: a speaker, a session, a group of speakers, a random share."""

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from emonas.errors import EmonasError
from emonas.protocols.options import ProtocolOptions

LONGEST_NAME = 100
"""Letters of a fold's name: paths have an end, and a speaker's name has none."""
_REPEATED = re.compile(r"(.+?)\1{9,}")
"""What Snakemake takes for a rule without an end, from twenty times on."""
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Holdout:
    """The tested utterances of one fold as a mask over the selected ones."""

    fold: str
    held_out: str
    mask: Mask


def holdouts(name: str, table: pd.DataFrame, options: ProtocolOptions) -> list[Holdout]:
    """Give what each fold of a protocol tests, in the order of the folds.

    Raises:
        EmonasError: an utterance has no speaker or session where one is needed, there are fewer
            speakers than groups, or a class is too small for the share.
    """
    if options.test == "random":
        return [
            Holdout(f"run{run}", f"run {run}", draw(name, table, options.share, options.seed, run))
            for run in range(options.first, options.first + options.repeats)
        ]
    require(name, table, "session" if options.test == "session" else "speaker")
    if options.test == "groups":
        return [
            Holdout(f"group{number}", ", ".join(members), _among(table["speaker"], members))
            for number, members in enumerate(_speaker_groups(name, table, options.groups or 0), 1)
        ]
    names = _tested_speakers(name, table, options)
    if options.test == "session":
        names = sorted(table["session"].unique())
    folds = fold_names(options.test, names)
    return [
        Holdout(fold, held_out, _among(table[options.test], [held_out]))
        for fold, held_out in zip(folds, names, strict=True)
    ]


def require(name: str, table: pd.DataFrame, column: str) -> None:
    """Refuse utterances without a speaker or session.

    Raises:
        EmonasError: there are some.
    """
    empty = table.loc[table[column] == "", ["corpus", "utterance"]]
    if len(empty):
        raise EmonasError(
            f"protocols.{name}: {len(empty)} utterances have no {column}, the first is "
            f"{empty['utterance'].iloc[0]} of {empty['corpus'].iloc[0]}; "
            f"choose a test and a validate that need no {column}s"
        )


def draw(name: str, table: pd.DataFrame, share: float, *seed: int) -> Mask:
    """Draw a share of every class of a corpus and domain; of a single utterance nothing is drawn.

    Raises:
        EmonasError: the table is too small for the share.
    """
    # Takes longer to import than the settings to read, for which folds are named and not drawn.
    from sklearn.model_selection import train_test_split

    strata = table["corpus"] + "\n" + table["label"] + "\n" + table["domain"]
    sizes = strata.map(strata.value_counts())
    positions = np.flatnonzero(sizes.to_numpy() > 1)
    state = int(np.random.SeedSequence(seed).generate_state(1)[0])
    try:
        _, drawn = train_test_split(
            positions,
            test_size=share,
            stratify=strata.to_numpy()[positions],
            random_state=state,
        )
    except ValueError as error:
        raise EmonasError(
            f"protocols.{name}: {len(table)} utterances are too few to draw a share of {share} "
            f"of every class ({error}); change the share or the limit"
        ) from error
    mask = np.zeros(len(table), dtype=np.bool_)
    mask[drawn] = True
    return mask


def fold_names(prefix: str, names: list[str]) -> list[str]:
    """Make names that are safe in paths, also where the file system ignores case."""
    folds: list[str] = []
    taken: set[str] = set()
    for name in names:
        safe = re.sub(r"[^A-Za-z0-9_.-]+", "-", name)[:LONGEST_NAME]
        safe = _REPEATED.sub(r"\1", safe)
        fold = base = safe if safe.startswith(prefix) else prefix + safe
        number = 1
        while fold.casefold() in taken:
            number += 1
            fold = f"{base}-{number}"
        taken.add(fold.casefold())
        folds.append(fold)
    return folds


def _among(column: pd.Series, names: list[str]) -> Mask:
    return np.asarray(column.isin(names), dtype=np.bool_)


def _tested_speakers(name: str, table: pd.DataFrame, options: ProtocolOptions) -> list[str]:
    if options.validation == "partner":
        require(name, table, "session")
        if not options.swap:
            return sorted(set(table.groupby("session")["speaker"].min()))
    return sorted(table["speaker"].unique())


def _speaker_groups(name: str, table: pd.DataFrame, count: int) -> list[list[str]]:
    """Deal the speakers, gender by gender, to the groups in turn.

    So the groups' sizes, and their numbers of each gender, differ by one at most.
    """
    speakers = table.groupby("speaker", as_index=False)[["gender", "corpus"]].first()
    if len(speakers) < count:
        raise EmonasError(
            f"protocols.{name}.groups: {len(speakers)} speakers make no {count} groups; "
            f"give {len(speakers)} at most"
        )
    dealt = speakers.sort_values(["gender", "corpus", "speaker"])["speaker"].tolist()
    return [sorted(dealt[start::count]) for start in range(count)]
