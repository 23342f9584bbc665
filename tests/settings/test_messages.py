"""One plain sentence with the key's path, for every kind of mistake."""

import pytest

from emonas.errors import EmonasError
from emonas.settings.load import check_settings


def refusal(document):
    with pytest.raises(EmonasError) as error:
        check_settings(document)
    text = str(error.value)
    assert "\n" not in text
    return text


def put(document, path, value):
    *folders, last = path.split(".")
    here = document
    for key in folders:
        here = here[int(key)] if isinstance(here, list) else here[key]
    here[last] = value
    return document


CASES = [
    ("systems.cnn.search.chanels", 4, "is no known key; did you mean channels?"),
    ("systems.both.metod", "ism", "is no known key; did you mean method?"),
    ("protocols.loso.valdiate", "none", "is no known key; did you mean validate?"),
    ("corpora.own.rooot", ".", "is no known key; did you mean root?"),
    ("sytems", {}, "is no known key; did you mean systems?"),
    ("runs.0.sedes", 3, "is no known key; did you mean seeds?"),
    ("features.fbank.qqqq", 3, "is no known key"),
    ("systems.linear.training", {"epochs": 3}, "is no key here"),
    ("features.fbank.bands", 0, "must be at least 3, not 0"),
    ("systems.cnn.search.learning_rate", -1, "must be more than 0, not -1"),
    ("systems.cnn.search.momentum", 1.5, "must be less than 1, not 1.5"),
    ("systems.cnn.search.epochs", 2.5, "must be a whole number, not 2.5"),
    ("systems.cnn.search.epochs", "ten", "must be a whole number, not 'ten'"),
    ("systems.cnn.search.batch", None, "must be a whole number, not None"),
    ("systems.cnn.search.learning_rate", "fast", "must be a number, not 'fast'"),
    ("systems.cnn.search.shared", "perhaps", "must be true or false, not 'perhaps'"),
    ("systems.cnn.search.order", "third", "must be 'first' or 'second', not 'third'"),
    ("systems.linear.inputs", [], "needs 1 or more entries, not 0"),
    ("runs", [], "needs 1 or more entries, not 0"),
    ("runs.0.systems", "linear", "must be a list, not 'linear'"),
    ("systems.rnn.inputs", [3], "must be keys with values, not 3"),
    ("title", ["one"], "must be text, not ['one']"),
]


@pytest.mark.parametrize(("path", "value", "expected"), CASES)
def test_a_value(document, path, value, expected):
    where = f"{path}.0" if value == [3] else path
    assert refusal(put(document, path, value)) == f"{where}: {expected}"


def test_what_may_be_of_several_kinds(document):
    row = {"published": {"ua": "lost"}}
    document["tables"] = {"t": {"columns": {"ua": {"metric": "ua"}}, "rows": {"theirs": row}}}
    assert refusal(document) == (
        "tables.t.rows.theirs.published.ua: must be a number or 'not in our copy', not 'lost'"
    )
    row["published"] = "lost"
    assert refusal(document) == (
        "tables.t.rows.theirs.published: must be keys with values, not 'lost'"
    )
    del document["tables"]
    document["systems"]["cnn"]["search"] = "my search"
    assert refusal(document) == (
        "systems.cnn.search: a name is made of letters, digits, dots, hyphens and underscores"
    )
    document["systems"]["cnn"]["search"] = 3
    assert refusal(document) == "systems.cnn.search: must be keys with values or text, not 3"


def test_a_key_that_is_needed_and_misspelt(document):
    loso = document["protocols"]["loso"]
    loso["tset"] = loso.pop("test")
    assert refusal(document) == "protocols.loso.tset: is no known key; did you mean test?"


UNKNOWN = [
    ("corpora.own.reader", "folder", "folders"),
    ("features.fbank.extractor", "fbanc", "fbank"),
    ("systems.linear.network", "liner", "linear"),
    ("systems.cnn.search.method", "drts", "darts"),
]


@pytest.mark.parametrize(("path", "value", "meant"), UNKNOWN)
def test_an_unknown_kind_lists_those_there_are(document, path, value, meant):
    text = refusal(put(document, path, value))
    assert text.startswith(f"{path}: nothing is named {value}; did you mean {meant}? (there are ")
    assert text.endswith(")")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("corpora.own.reader", "is missing; it says which kind this is"),
        ("features.fbank.extractor", "is missing; it says which kind this is"),
        ("systems.linear.network", "is missing; it says which kind this is"),
        ("systems.cnn.search.method", "is missing; it says which kind this is"),
        ("protocols.loso.test", "is missing"),
        ("systems.linear.inputs", "is missing"),
        ("protocols", "is missing"),
        ("runs", "is missing"),
    ],
)
def test_a_missing_key(document, path, expected):
    *folders, last = path.split(".")
    here = document
    for key in folders:
        here = here[key]
    del here[last]
    assert refusal(document) == f"{path}: {expected}"


@pytest.mark.parametrize("name", ["../up", "a b", "", ".hidden", "a/b"])
def test_a_name_that_can_be_no_folder(document, name):
    document["features"][name] = {"extractor": "fbank"}
    assert refusal(document) == (
        f"features.{name}: a name is made of letters, digits, dots, hyphens and underscores"
    )


def test_a_check_of_several_keys_names_the_part(document):
    put(document, "systems.both.dominant", "linear")
    assert refusal(document) == ("systems.both: method ism needs `dominant`, one of cnn, rnn")


@pytest.mark.parametrize("part", ["corpora", "protocols", "features", "systems"])
def test_a_part_that_is_no_mapping(document, part):
    document[part] = ["one"]
    assert refusal(document) == f"{part}: must be keys with values, not ['one']"


def test_a_path_that_snakemake_cannot_name(document):
    document["corpora"]["own"] = {"reader": "csv", "table": "my {table}.csv"}
    assert refusal(document) == (
        "corpora.own.table: my {table}.csv holds a brace, which Snakemake takes for its own; "
        "rename it"
    )
