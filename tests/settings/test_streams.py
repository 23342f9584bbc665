"""What the settings alone tell of streams and validation is refused before any job."""

import pytest

from emonas.errors import EmonasError
from emonas.settings.load import check_settings

WHISPER = {"extractor": "whisper", "checkpoint": "weights"}


@pytest.fixture
def layered(document):
    document["checkpoints"] = {"weights": {"path": "w.pt"}}
    document["features"]["deep"] = WHISPER
    return document


def refused(document, **system):
    document["systems"]["linear"] = system
    with pytest.raises(EmonasError) as no:
        check_settings(document)
    return str(no.value)


def deep(*layers, **more):
    return {"feature": "deep", "layers": list(layers), **more}


@pytest.mark.parametrize("network", ["wf-rnn", "cta", "cta-rnn"])
def test_too_few_streams(layered, network):
    for inputs in (["fbank"], [deep(2)]):
        assert (
            f"systems.linear.inputs: {network} hears 2 streams or more, not 1; name several layers"
        ) in refused(layered, network=network, inputs=inputs)


@pytest.mark.parametrize(
    ("network", "inputs"), [("rnn-mhsa", ["fbank", "image"]), ("resnet", [deep(1, 2)])]
)
def test_too_many_streams(layered, network, inputs):
    told = refused(layered, network=network, inputs=inputs)
    assert f"systems.linear.inputs: {network} hears one stream, not 2" in told


@pytest.mark.parametrize("network", ["wf-rnn", "ef-rnn", "cta-rnn"])
def test_unequal_lengths(layered, network):
    told = refused(layered, network=network, inputs=[deep(1, pool=2), deep(2)])
    assert f"{network} needs streams of equal lengths, and deep is averaged in two ways" in told


def test_what_only_the_file_tells_passes(layered):
    layered["systems"]["linear"] = {"network": "cta-rnn", "inputs": ["deep"]}
    check_settings(layered)
    inputs = [deep(1, pool=2), {"feature": "fbank", "pool": 8}]
    layered["systems"]["linear"] = {"network": "lf-rnn", "inputs": inputs}
    check_settings(layered)


@pytest.mark.parametrize(
    ("training", "told"),
    [
        ({"schedule": "plateau", "select": "last"}, "training.schedule is plateau"),
        ({"schedule": "constant"}, "training.select is validation_loss"),
    ],
)
def test_nobody_validates(document, training, told):
    document["protocols"]["loso"]["validate"] = "none"
    document["runs"] = [{"protocol": "loso", "systems": ["linear"]}]
    assert told in refused(document, network="rnn-mhsa", inputs=["fbank"], training=training)


def test_another_corpus_is_named_once(document):
    document["protocols"]["loso"]["transfer"] = ["own", "own"]
    with pytest.raises(EmonasError, match=r"protocols\.loso.*transfer names own twice"):
        check_settings(document)
    document["protocols"]["loso"]["transfer"] = "own"
    assert list(check_settings(document).protocols["loso"].transfer) == ["own"]
    document["protocols"]["loso"]["transfer"] = {"own": None}
    assert list(check_settings(document).protocols["loso"].transfer) == ["own"]
    document["protocols"]["loso"]["transfer"] = [3]
    with pytest.raises(EmonasError, match=r"protocols\.loso.*transfer names corpora, and 3 is no"):
        check_settings(document)
