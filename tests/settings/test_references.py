"""Names that are used must be defined, and a system must have what it needs."""

import pytest

from emonas.errors import EmonasError
from emonas.settings.load import check_settings

TABLE = {"rows": {"ours": {"system": "cnm"}}}


def edit(*path, value):
    def change(document):
        here = document
        for key in path[:-1]:
            here = here[key]
        here[path[-1]] = value

    return change


CASES = [
    (
        edit("protocols", "loso", "corpora", value=["spokn"]),
        "protocols.loso.corpora: no corpus is named spokn; did you mean spoken?",
    ),
    (
        edit("systems", "rnn", "inputs", value=["wave2vec"]),
        "systems.rnn.inputs: no feature is named wave2vec",
    ),
    (
        edit("systems", "rnn", "inputs", value=[{"feature": "fbanks"}]),
        "systems.rnn.inputs: no feature is named fbanks; did you mean fbank?",
    ),
    (
        edit("systems", "both", value={"fuse": ["cnn", "rmn"], "method": "concat"}),
        "systems.both.fuse: no system is named rmn; did you mean rnn?",
    ),
    (
        edit("runs", 0, "protocol", value="lso"),
        "runs.0.protocol: no protocol is named lso; did you mean loso?",
    ),
    (
        edit("runs", 1, "systems", value=["linea"]),
        "runs.1.systems: no system is named linea; did you mean linear?",
    ),
    (
        edit("tables", value={"one": TABLE}),
        "tables.one.rows.ours.system: no system is named cnm; did you mean cnn?",
    ),
    (
        edit("tables", value={"one": {"rows": {"ours": {"system": "cnn", "protocol": "losso"}}}}),
        "tables.one.rows.ours.protocol: no protocol is named losso; did you mean loso?",
    ),
    (
        edit("tables", value={"one": {"protocol": "losso", "rows": {"ours": {"system": "cnn"}}}}),
        "tables.one.protocol: no protocol is named losso; did you mean loso?",
    ),
    (
        edit("systems", "rnn", "search", value=None),
        "systems.rnn.search: is missing; say how its cells are found",
    ),
    (
        edit("systems", "rnn", "cell", value="gru"),
        "systems.rnn: has both `cell` and `search`; keep one of them",
    ),
    (
        edit("runs", 0, "systems", value=["cnn", "both"]),
        "runs.0.systems: both fuses rnn, which is not in this run; add it",
    ),
    (
        edit("systems", "cnn", value={"fuse": ["gru", "rnn"], "method": "concat"}),
        "systems.both.fuse: cnn is fused itself; name its streams instead",
    ),
]


@pytest.mark.parametrize(("change", "sentence"), CASES)
def test_a_name_or_a_need(document, change, sentence):
    change(document)
    with pytest.raises(EmonasError) as error:
        check_settings(document)
    assert str(error.value) == sentence


def test_the_document_itself_is_right(document):
    assert len(check_settings(document).systems) == 5
