import pytest
from pydantic import ValidationError

from emonas.protocols.options import ProtocolOptions


def options(**given):
    return ProtocolOptions.model_validate({"corpora": ["talk"], **given})


@pytest.mark.parametrize(
    ("given", "validation"),
    [
        ({"test": "speaker"}, "speaker"),
        ({"test": "session"}, "session"),
        ({"test": "groups", "groups": 3}, "group"),
        ({"test": "random"}, "random"),
        ({"test": "list", "list": "folds.csv"}, "none"),
        ({"test": "speaker", "validate": "partner"}, "partner"),
    ],
)
def test_validation_follows_the_test_unless_it_is_given(given, validation):
    assert options(**given).validation == validation


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"test": "groups"}, "test: groups needs the key groups"),
        ({"test": "list"}, "test: list needs the key list"),
        ({"test": "speaker", "groups": 3}, "groups needs test: groups"),
        ({"test": "session", "validate": "partner"}, "validate: partner does not go with"),
        ({"test": "random", "validate": "speaker"}, "choose random, none"),
        ({"test": "speaker", "swap": False}, "swap: false needs validate: partner"),
        ({"test": "speaker", "labels": ["sad", "sad"]}, "labels names sad twice"),
        (
            {"test": "speaker", "labels": ["sad", "happy"], "merge": {"excited": "hapy"}},
            "merge turns excited into hapy, which labels does not name",
        ),
        (
            {"test": "speaker", "labels": ["excited", "happy"], "merge": {"excited": "happy"}},
            "labels names excited, which merge turns into happy",
        ),
        ({"test": "speaker", "allow": ["room"]}, "speaker"),
    ],
)
def test_what_does_not_fit_is_refused_in_words(given, sentence):
    with pytest.raises(ValidationError, match=sentence):
        options(**given)


def test_a_dump_loads_again_under_both_kinds_of_names():
    made = options(test="speaker", validate="partner", swap=False, style="improvised")
    for by_alias in (True, False):
        dump = made.model_dump(mode="json", by_alias=by_alias)
        assert ProtocolOptions.model_validate(dump) == made
    assert made.style == ("improvised",)


def test_what_is_pooled_and_what_depends_on_speakers():
    assert options(test="speaker").pooled
    assert not options(test="speaker", validate="partner").pooled
    assert not options(test="session").pooled
    assert options(test="random").speaker_dependent
    assert not options(test="speaker", validate="random").speaker_dependent
    assert options(test="speaker", validate="random").speaker_dependent_validation


def test_the_schema_takes_one_name_or_several():
    properties = ProtocolOptions.model_json_schema(by_alias=True)["properties"]
    assert "validate" in properties
    assert {kind["type"] for kind in properties["style"]["anyOf"]} == {"string", "array"}
