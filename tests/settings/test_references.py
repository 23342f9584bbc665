"""Names that are used must be defined, and a system must have what it needs."""

import copy

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


def table(row, **column):
    return {"columns": {"HERE": column}, "rows": {"ours": row}}


def figure(panel, **line):
    return {"lines": {"HERE": line}, "panels": {"P": panel}}


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
        edit("tables", value={"one": table({"system": "cnn", "published": {"HER": 0.5}})}),
        "tables.one.rows.ours.published: no column is named HER; did you mean HERE?",
    ),
    (
        edit("tables", value={"one": table({"transcript": "herd"})}),
        "tables.one.rows.ours.transcript: no transcript is named herd",
    ),
    (
        edit("tables", value={"one": table({"system": "cnn"}, protocol="losso")}),
        "tables.one.columns.HERE.protocol: no protocol is named losso; did you mean loso?",
    ),
    (
        edit("tables", value={"one": table({"system": "cnn"}, corpus="spokn", metric="wer")}),
        "tables.one.columns.HERE.corpus: no corpus is named spokn; did you mean spoken?",
    ),
    (
        edit("tables", value={"one": table({"system": "cnn"}, transfer="owm")}),
        "tables.one.columns.HERE.transfer: no corpus is named owm; did you mean own?",
    ),
    (
        edit("tables", value={"one": table({}, protocol="loso", transfer="owm")}),
        "tables.one.columns.HERE.transfer: no corpus is named owm; did you mean own?",
    ),
    *(
        (
            edit("tables", value={name: table({"system": "cnn"})}),
            f"tables.{name}: a table of the report has this name; name it otherwise",
        )
        for name in ("loso-systems", "own-folds", "recognition", "overview", "own-classes")
    ),
    *(
        (
            edit("figures", value={name: figure({"points": {2: "cnn"}})}),
            f"figures.{name}: a file of the report has this name; name it otherwise",
        )
        for name in ("loso-systems", "loso-folds", "loso-cnn-curves", "overview")
    ),
    (
        edit("tables", value={"one": table({"system": "cnn"}, protocol="own", transfer="own")}),
        "tables.one.columns.HERE.transfer: protocol own has no transfer to own",
    ),
    (
        edit("tables", value={"one": table({"system": "linear"})}),
        "tables.one.rows.ours: linear is run under loso and own; name the protocol that is meant",
    ),
    (
        edit("figures", value={"one": figure({"points": {2.5: "cnm"}})}),
        "figures.one.panels.P.points.2.5: no system is named cnm; did you mean cnn?",
    ),
    (
        edit("figures", value={"one": figure({"points": {2: "cnn"}, "baselines": {"A + T": "x"}})}),
        "figures.one.panels.P.baselines.A + T: no system is named x",
    ),
    (
        edit("figures", value={"one": figure({"points": {2: "cnn"}, "published": {"HER": {}}})}),
        "figures.one.panels.P.published: no line is named HER; did you mean HERE?",
    ),
    (
        edit("figures", value={"one": figure({"points": {2: "cnn"}}, protocol="lso")}),
        "figures.one.lines.HERE.protocol: no protocol is named lso; did you mean loso?",
    ),
    (
        edit("figures", value={"one": figure({"points": {2: "cnn"}}, transfer="owm")}),
        "figures.one.lines.HERE.transfer: no corpus is named owm; did you mean own?",
    ),
    (
        edit("figures", value={"one": figure({"points": {2: "linear"}})}),
        "figures.one.panels.P.points.2: linear is run under loso and own; "
        "name the protocol that is meant",
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
    (
        edit("systems", "gru", "inputs", value=[{"feature": "fbank", "layers": [1]}]),
        "systems.gru.inputs: fbank has no layers (fbank); leave `layers` out",
    ),
]


@pytest.mark.parametrize(("change", "sentence"), CASES)
def test_a_name_or_a_need(document, change, sentence):
    document["protocols"]["loso"]["transfer"] = ["own"]
    change(document)
    with pytest.raises(EmonasError) as error:
        check_settings(document)
    assert str(error.value) == sentence


def pretrained(document, extractor, inputs, **options):
    """The document with a feature of a checkpoint, and what its two systems ask of that."""
    document["checkpoints"] = {"weights": {"address": "https://example.org/w.pt"}}
    feature = {"extractor": extractor, "checkpoint": "weights", **options}
    document["features"]["deep"] = feature
    for system, layers in zip(("gru", "linear"), inputs, strict=True):
        document["systems"][system]["inputs"] = [{"feature": "deep", "layers": layers}]
    return document


@pytest.mark.parametrize("extractor", ["wav2vec", "byol"])
def test_an_encoder_without_layers_is_asked_for_none(document, extractor):
    with pytest.raises(EmonasError) as error:
        check_settings(pretrained(document, extractor, [["1"], []]))
    told = f"systems.gru.inputs: deep has no layers ({extractor}); leave `layers` out"
    assert str(error.value) == told
    assert check_settings(pretrained(document, extractor, [[], []]))


def test_only_layers_that_are_stored_can_be_asked_for(document):
    with pytest.raises(EmonasError) as error:
        check_settings(pretrained(document, "whisper", [[2, 3], [4]], layers=[2, 4]))
    assert str(error.value) == (
        "systems.gru.inputs: asks for layer 3 of deep, and features.deep.layers stores 2, 4; "
        "add it there, or leave it out here"
    )
    assert check_settings(pretrained(document, "whisper", [[2], []], layers=[2, 4]))


def test_a_kind_that_gives_the_last_layer_alone_serves_no_others_beside(document):
    with pytest.raises(EmonasError) as error:
        check_settings(pretrained(document, "bert", [[1], []]))
    assert str(error.value) == (
        "features.deep: gru asks for layers of it and linear for none, which is the last alone; "
        "name the layers in both, or make two features of it"
    )
    assert check_settings(pretrained(document, "bert", [[1], [2]]))
    assert check_settings(pretrained(document, "bert", [[], []]))
    assert check_settings(pretrained(document, "whisper", [[1], []]))


def test_a_stream_that_has_heard_the_validation_part_is_not_fused(document):
    document["systems"]["both"] = {"fuse": ["cnn", "linear"], "method": "concat"}
    assert check_settings(document)
    document["systems"]["linear"]["refit"] = True
    with pytest.raises(EmonasError) as error:
        check_settings(document)
    assert str(error.value) == (
        "systems.both.fuse: linear has refit: true, so that it has heard the validation part, on "
        "which a fusion chooses its epoch; leave refit out"
    )


def coded(document, reader="emodb", **options):
    """The document with a second corpus, whose reader is told texts, in the protocol `own`."""
    document["corpora"]["two"] = {"reader": reader, **options}
    document["protocols"]["own"]["corpora"] = ["own", "two"]
    return pretrained(document, "bert", [[], []])


def told_codes(user):
    return (
        f"corpora.two.texts: is needed by {user}: without it the corpus's texts are codes; give "
        "the sentence of each code"
    )


@pytest.mark.parametrize(
    ("reader", "code"), [("emodb", "a01"), ("ravdess", "01"), ("cafe", "1"), ("emovo", "b1")]
)
def test_what_is_heard_is_not_held_against_codes(document, reader, code):
    for texts in (None, {}, {code: "The lid is on the fridge"}):
        given = {} if texts is None else {"texts": texts}
        changed = coded(copy.deepcopy(document), reader, **given)
        changed["systems"]["linear"]["inputs"] = ["fbank"]
        changed["transcripts"] = {"heard": {"recogniser": "whisper", "checkpoint": "weights"}}
        assert check_settings(changed)
        changed["recognition"] = [
            {"transcript": "heard", "corpora": corpora} for corpora in (["own"], ["own", "two"])
        ]
        if texts:
            assert check_settings(changed)
            continue
        with pytest.raises(EmonasError) as error:
            check_settings(changed)
        assert str(error.value) == told_codes("recognition.1")


def test_codes_are_not_read_as_words(document):
    with pytest.raises(EmonasError) as error:
        check_settings(coded(copy.deepcopy(document)))
    assert str(error.value) == told_codes("features.deep")
    assert check_settings(coded(copy.deepcopy(document), texts={"a01": "The lid"}))
    heard = coded(copy.deepcopy(document))
    heard["transcripts"] = {"heard": {"recogniser": "whisper", "checkpoint": "weights"}}
    heard["features"]["deep"]["transcript"] = "heard"
    assert check_settings(heard)
    elsewhere = coded(copy.deepcopy(document))
    elsewhere["runs"][1]["systems"] = ["cnn"]
    assert check_settings(elsewhere)


@pytest.mark.parametrize(
    "file",
    [
        "results/features/{corpus}/fbank.h5",
        "results",
        "./vectors/../results/features/spoken/fbank.h5",
        "{here}/results/features/{corpus}.npz",
        "linked/features/{corpus}/fbank.h5",
        "{corpus}/fbank.h5",
    ],
)
def test_a_result_is_no_file_of_the_users_own(document, file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "results/features/own").mkdir(parents=True)
    (tmp_path / "linked").symlink_to("results")
    (tmp_path / "own").symlink_to("results/features/own")
    file = file.replace("{here}", str(tmp_path))
    document["features"]["o"] = {"extractor": "precomputed", "file": file}
    with pytest.raises(EmonasError) as error:
        check_settings(document)
    assert str(error.value) == (
        "features.o.file: names a result of this workflow, which may be made again at any time; "
        "copy it to another folder"
    )


@pytest.mark.parametrize(
    "file",
    ["my results/{corpus}.npz", "results of ours/x.npz", "vectors/results/x.npz", "../results/x"],
)
def test_a_file_beside_the_results_is_the_users_own(document, file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    document["features"]["o"] = {"extractor": "precomputed", "file": file}
    assert check_settings(document)


def test_the_document_itself_is_right(document):
    assert len(check_settings(document).systems) == 5


def test_a_table_and_a_figure_have_their_own_names(document):
    document["tables"] = {"one": table({"system": "cnn"}, protocol="loso")}
    document["figures"] = {"two": figure({"points": {2: "cnn"}}, protocol="loso")}
    assert check_settings(document)
    document["figures"]["one"] = document["figures"].pop("two")
    with pytest.raises(EmonasError) as error:
        check_settings(document)
    assert str(error.value) == ("figures.one: a table has this name; name one of them otherwise")


def test_tables_and_figures_of_transfers(document):
    document["protocols"]["loso"]["transfer"] = ["own"]
    across = {"protocol": "loso", "transfer": "own"}
    published = {"published": {"HERE": 0.5}}
    document["tables"] = {"one": table({"system": "cnn", **published}, **across)}
    document["figures"] = {"two": figure({"points": {0: "gru", 2.5: "cnn"}}, **across)}
    settings = check_settings(document)
    assert settings.tables["one"].columns["HERE"].transfer == "own"
    assert settings.figures["two"].panels["P"].points == {0: "gru", 2.5: "cnn"}
