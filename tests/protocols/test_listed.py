import pytest

from emonas.errors import EmonasError


def write(tmp_path, text):
    path = tmp_path / "my folds.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_list_is_taken_as_it_stands(tmp_path, utterance, folds_of):
    rows = [utterance(name, name, "sad") for name in "abcd"]
    path = write(
        tmp_path,
        "utterance,fold,part\na,one,train\nb,one,validation\nc,one,test\n"
        "d,two,train\na,two,test\ngone,two,test\n",
    )
    folds = folds_of(rows, test="list", list=path)
    found = {
        (fold, part, name)
        for fold, made in folds.items()
        for part, table in made.parts.items()
        for name in table["utterance"]
    }
    assert found == {
        ("one", "train", "a"),
        ("one", "validation", "b"),
        ("one", "test", "c"),
        ("two", "train", "d"),
        ("two", "test", "a"),
    }


def test_the_column_corpus_tells_namesakes_apart(tmp_path, utterance, folds_of):
    rows = [utterance("a", "1", "sad"), utterance("a", "1", "sad", corpus="rede")]
    body = "a,one,train{}\na,one,test{}\n"
    path = write(tmp_path, "utterance,fold,part,corpus\n" + body.format(",talk", ",rede"))
    parts = folds_of(rows, test="list", list=path)["one"].parts
    assert list(parts["train"]["corpus"]) == ["talk"]
    assert list(parts["test"]["corpus"]) == ["rede"]
    path = write(tmp_path, "utterance,fold,part\na,one,train\n")
    with pytest.raises(EmonasError, match="add the column corpus"):
        folds_of(rows, test="list", list=path)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("utterance,fold\na,one\n", "the column part is missing"),
        ("utterance,fold,part\na,one,dev\n", "line 2: 'dev' is no part; write train, validation"),
        ("utterance,fold,part\n\n\na,one,dev\n", "line 4: 'dev' is no part"),
        ("utterance,fold,part\na,one,test,\n", "more cells than the header"),
        ("utterance,fold,part\na,../one,test\n", "line 2: the fold '../one' can't name a folder"),
        ("utterance,fold,part\na,..,test\n", "can't name a folder"),
        ("utterance,fold,part\na,one,train\na,one,test\n", "the fold one names a twice"),
        ("utterance,fold,part,corpus\na,one,test,tlak\n", "has no corpus 'tlak'"),
        ("utterance,fold,part\n", "the list is empty"),
        ("utterance,fold,part\na,one,train\nx,one,test\n", "one has no utterance in its test part"),
    ],
)
def test_a_faulty_list_is_a_sentence(tmp_path, utterance, folds_of, text, sentence):
    with pytest.raises(EmonasError, match=sentence):
        folds_of([utterance("a", "1", "sad")], test="list", list=write(tmp_path, text))
