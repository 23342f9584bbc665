"""From a file to checked settings: roots, and where they come from."""

import pytest
import yaml

from emonas.errors import EmonasError
from emonas.settings.load import check_settings, load_settings


def test_a_file_is_read(tmp_path, document):
    path = tmp_path / "my settings.yaml"
    path.write_text(yaml.safe_dump(document))
    settings = load_settings(path)
    assert set(settings.systems) == set(document["systems"])
    assert settings.systems["cnn"].search.channels == 4
    assert settings.runs[1].seeds == 2


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "no.yaml: can't be read (No such file or directory)"),
        (b"a: [", "no.yaml: this is no YAML ("),
        (b"\xff\xfe\x00", "no.yaml: this is no YAML ("),
        (b"- a list", "settings: a mapping is needed, with corpora, protocols, features, ..."),
        (b"", "settings: a mapping is needed"),
    ],
)
def test_a_file_that_is_none_is_named(tmp_path, content, sentence):
    path = tmp_path / "no.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(EmonasError) as error:
        load_settings(path)
    assert str(error.value).removeprefix(f"{tmp_path}/").startswith(sentence)
    assert "\n" not in str(error.value)


def root(document):
    return check_settings(document).corpora["own"].root


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """Three folders that could be the root, the third as EMONAS_DATA has it."""
    for name in ("in the file", "given", "data/own"):
        (tmp_path / name).mkdir(parents=True)
    monkeypatch.setenv("EMONAS_DATA", str(tmp_path / "data"))
    return tmp_path


def test_roots_go_before_the_file_and_the_file_before_the_data_folder(folders, document):
    document["corpora"]["own"]["root"] = str(folders / "in the file")
    document["roots"] = {"own": str(folders / "given")}
    assert root(document) == folders / "given"
    del document["roots"]
    assert root(document) == folders / "in the file"
    del document["corpora"]["own"]["root"]
    assert root(document) == folders / "data/own"


def test_a_data_folder_without_the_corpus_gives_no_root(folders, document):
    (folders / "data/own").rmdir()
    assert root(document) is None


def test_the_synthetic_corpus_takes_no_root_from_the_data_folder(folders, document):
    (folders / "data/spoken").mkdir()
    assert check_settings(document).corpora["spoken"].root is None


def test_a_table_takes_no_root_from_the_data_folder(folders, document):
    document["corpora"]["own"] = {"reader": "csv", "table": "my corpus/table.csv"}
    assert root(document) is None
    document["corpora"]["own"]["root"] = str(folders / "in the file")
    assert root(document) == folders / "in the file"


def test_home_is_filled_in(tmp_path, document, monkeypatch):
    (tmp_path / "speech").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path))
    document["corpora"]["own"]["root"] = "~/speech"
    assert root(document) == tmp_path / "speech"


def test_a_root_that_is_given_and_not_there_is_an_error(document):
    document["roots"] = {"own": "nowhere"}
    with pytest.raises(EmonasError, match=r"^corpora\.own\.root: there is no folder nowhere; "):
        root(document)


def test_a_root_of_no_corpus_is_an_error(document):
    document["roots"] = {"owm": "."}
    with pytest.raises(EmonasError) as error:
        root(document)
    assert str(error.value) == "roots.owm: no corpus is named owm; did you mean own?"


def test_the_document_is_not_changed(folders, document):
    before = yaml.safe_dump(document)
    check_settings(document)
    assert yaml.safe_dump(document) == before
