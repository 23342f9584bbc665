import pytest

from emonas.errors import EmonasError
from emonas.storage.transcripts import read_transcript, write_transcript


def test_texts_come_back_sorted_whatever_they_hold(tmp_path):
    path = tmp_path / "with a space" / "heard.csv"
    texts = {
        "b": 'Sie sagte: "Heute,\nnicht morgen"',
        "Ä 1": "",
        "a": "NA",
        "null": " leading, and a comma",
    }
    write_transcript(path, texts)
    read = read_transcript(path)
    assert read == texts
    assert list(read) == sorted(texts)
    write_transcript(tmp_path / "again.csv", dict(reversed(texts.items())))
    assert (tmp_path / "again.csv").read_bytes() == path.read_bytes()


def test_no_utterances_are_a_table_all_the_same(tmp_path):
    write_transcript(tmp_path / "t.csv", {})
    assert (tmp_path / "t.csv").read_text() == "utterance,text\n"
    assert read_transcript(tmp_path / "t.csv") == {}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "no CSV"),
        ("utterance,words\na,b\n", "the column text is missing"),
        ("utterance,text\na,b\na,c\n", "a stands there twice; make it again"),
        (None, "no such file"),
    ],
)
def test_damage_is_told_in_one_sentence(tmp_path, content, reason):
    path = tmp_path / "t.csv"
    if content is not None:
        path.write_text(content)
    with pytest.raises(EmonasError, match=rf"t\.csv: .*{reason}") as caught:
        read_transcript(path)
    assert "\n" not in str(caught.value)
