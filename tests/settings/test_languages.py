"""What systems of several languages ask of protocols and searches is said before any job."""

import pytest

from emonas.errors import EmonasError
from emonas.kinds import kind_module
from emonas.settings.listings import check_listings
from emonas.settings.load import check_settings
from emonas.settings.plan import Plan

GATED = {"network": "multi-gating", "inputs": ["fbank", "image"], "selector": "fbank"}
BOTTOM = {"network": "shared-bottom", "inputs": ["fbank"]}
SEARCHED = {**GATED, "search": {"method": "gates"}}


@pytest.fixture
def languages(document):
    document["corpora"] = {
        "english": {"reader": "synthetic", "languages": ["en"]},
        "german": {"reader": "synthetic", "languages": ["de"], "seed": 1},
        "french": {"reader": "synthetic", "languages": ["fr"], "seed": 2},
    }
    several = {"corpora": ["english", "german"], "test": "random", "domain": "language"}
    document["protocols"] = {"several": several}
    document["systems"] = {
        "single": {"network": "language-specific", "inputs": ["fbank"]},
        "bottom": dict(BOTTOM),
        "searched": SEARCHED,
        "retrained": {**GATED, "search": "searched"},
        "linear": {"network": "linear", "inputs": ["fbank"]},
    }
    document["runs"] = [{"protocol": "several", "systems": ["bottom", "searched", "retrained"]}]
    return document


def refused(document):
    with pytest.raises(EmonasError) as no:
        check_listings(Plan(check_settings(document)))
    return str(no.value)


def test_what_fits_passes(languages):
    languages["systems"]["bottom"]["domains"] = {"de": {"tower": 9}}
    check_listings(Plan(check_settings(languages)))


def test_several_domains_need_a_protocol_that_tells_them_apart(languages):
    del languages["protocols"]["several"]["domain"]
    told = refused(languages)
    assert "runs.0.protocol: bottom (shared-bottom) learns several domains" in told
    assert "give the protocol `domain: language`" in told


def test_one_domain_needs_a_protocol_of_one(languages):
    languages["runs"][0]["systems"] = ["single"]
    assert "single (language-specific) learns one domain, and there are de, en" in refused(
        languages
    )
    languages["protocols"]["several"]["domain"] = "corpus"
    assert "the protocol tells several apart" in refused(languages)
    languages["protocols"]["several"].update(corpora=["german"], domain="language")
    check_listings(Plan(check_settings(languages)))


def test_what_differs_by_domain_needs_that_domain(languages):
    languages["systems"]["bottom"]["domains"] = {"fr": {"tower": 9}}
    assert refused(languages) == (
        "systems.bottom.domains.fr: no utterance of its runs is of this domain; there are de, en"
    )
    languages["runs"][0]["systems"] = ["single"]
    languages["systems"]["single"]["domains"] = {"de": {"tower": 9}}
    languages["protocols"]["several"].update(corpora=["german"], domain="none")
    assert "single (language-specific) says what differs by domain" in refused(languages)


def test_no_transfer_is_to_a_language_that_was_never_heard(languages):
    languages["protocols"]["several"]["transfer"] = ["french"]
    assert "protocols.several.transfer.french: is of fr, which bottom" in refused(languages)
    languages["protocols"]["several"]["domain"] = "corpus"
    assert "would be of one that it never heard" in refused(languages)


@pytest.mark.parametrize(
    ("system", "told"),
    [
        ({**GATED, "search": "nothing"}, "systems.retrained.search: no system is named nothing"),
        ({**GATED, "search": "linear"}, "linear has no search of its own"),
        ({**GATED, "search": "retrained"}, "retrained has no search of its own"),
        ({**GATED, "selector": "image", "search": "searched"}, "searched has another selector"),
        ({**GATED, "gate_selector": False, "search": "searched"}, "has another gate_selector"),
        ({**GATED, "inputs": ["fbank"], "search": "searched"}, "searched has another inputs"),
        ({**GATED, "size": 8, "search": "searched"}, "searched has another size than retrained"),
        ({**GATED, "search": {"method": "darts"}}, "darts finds networks of the kind cells"),
        ({**SEARCHED, "refit": True}, "systems.retrained.refit: the searched network is tested"),
    ],
)
def test_where_a_genotype_comes_from(languages, system, told):
    languages["systems"]["retrained"] = system
    assert told in refused(languages)


def test_another_system_s_search_stands_in_the_same_run(languages):
    languages["runs"][0]["systems"] = ["retrained"]
    assert "the search of searched finds, which is not in this run; add it" in refused(languages)


def test_a_joint_fusion_has_no_domains(languages):
    languages["systems"]["plain"] = {"network": "recurrent", "inputs": ["fbank"], "cell": "gru"}
    languages["systems"]["both"] = {"fuse": ["bottom", "plain"], "method": "concat", "joint": True}
    languages["runs"][0]["systems"] = ["bottom", "plain", "both"]
    assert "systems.both.joint: bottom (shared-bottom) treats domains apart" in refused(languages)


@pytest.mark.parametrize(
    ("system", "told"),
    [
        ({"normalise": "none", "statistics": True}, "the system's normalise is none"),
        ({}, "systems.whitened.inputs: fbank is to be whitened, which is for one vector"),
    ],
)
def test_whitening_is_refused_where_nothing_would_whiten(languages, system, told):
    entry = {"feature": "fbank", "normalise": "whiten", "statistics": "statistics" in system}
    manner = system.get("normalise", "feature")
    languages["systems"]["whitened"] = {**BOTTOM, "inputs": [entry], "normalise": manner}
    assert told in refused(languages)


@pytest.mark.parametrize(
    ("system", "told"),
    [
        (
            {**BOTTOM, "encoders": {"fbank": {"between": [8]}}},
            "systems.x.encoders.fbank.between: is for a feature of one vector, and fbank is frames",
        ),
        (
            {
                "network": "language-specific",
                "inputs": [{"feature": "fbank", "statistics": True}],
                "encoders": {"fbank": {"hidden": 8}},
            },
            "systems.x.encoders.fbank: language-specific takes a feature of one vector as it is",
        ),
        (
            {
                **BOTTOM,
                "inputs": [{"feature": "fbank", "normalise": "none"}],
                "encoders": {"fbank": {"speaker": True}},
            },
            "systems.x.encoders.fbank.speaker: GE2E's encoder hears a waveform, and fbank is none",
        ),
        (
            {**BOTTOM, "normalise": "none", "encoder": {"speaker": True}},
            "systems.x.encoder.speaker: GE2E's encoder hears a waveform, and fbank is none; name",
        ),
        (
            {
                **BOTTOM,
                "inputs": [{"feature": "fbank", "statistics": True}],
                "encoders": {"fbank": {"hidden": 8}},
            },
            "systems.x.encoders.fbank.hidden: is for frames, and fbank becomes a vector without",
        ),
        (
            {
                "network": "multilingual-base",
                "inputs": ["fbank"],
                "domains": {"de": {"tower": 8}},
            },
            "domains.de: multilingual-base has one tower for all domains",
        ),
    ],
)
def test_an_option_that_would_change_nothing(languages, system, told):
    languages["systems"]["x"] = system
    assert told in refused(languages)


def test_an_encoder_between_a_vector_and_its_size(languages):
    languages["features"]["speaker"] = {"extractor": "ge2e"}
    languages["systems"]["x"] = {
        **BOTTOM,
        "inputs": ["speaker"],
        "encoders": {"speaker": {"between": [8]}},
    }
    check_settings(languages)


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ({"pool": 2}, "speaker is one vector an utterance, and `pool` is for frames"),
        ({"statistics": True}, "speaker is one vector an utterance, and `statistics` is for"),
        ({"normalise": "utterance"}, "and `normalise: utterance` is for frames; leave it out"),
    ],
)
def test_a_vector_has_no_frames(languages, entry, told):
    languages["features"]["speaker"] = {"extractor": "ge2e"}
    languages["systems"]["x"] = {**BOTTOM, "inputs": [{"feature": "speaker", **entry}]}
    assert told in refused(languages)


def test_frames_normalised_by_utterance_have_no_statistics(languages):
    entry = {"feature": "fbank", "normalise": "utterance", "statistics": True}
    languages["systems"]["x"] = {**BOTTOM, "inputs": [entry]}
    assert "makes every mean 0 and every deviation 1" in refused(languages)


def test_ge2e_s_encoder_hears_the_waveform_as_it_is(languages):
    languages["systems"]["bottom"]["encoders"] = {"fbank": {"speaker": True}}
    assert "fbank is heard by GE2E's encoder as it is" in refused(languages)


def test_a_search_of_gates_is_as_long_as_the_training(languages):
    options = check_settings(languages).systems["searched"]
    module = kind_module("method", "gates")
    assert module.trained_epochs(options.search, options) == 20


def test_refit_is_no_business_of_the_search(languages):
    languages["systems"]["searched"]["search"]["retrain"] = True
    plain = Plan(check_settings(languages)).search_params("searched")
    languages["systems"]["searched"]["refit"] = True
    assert Plan(check_settings(languages)).search_params("searched") == plain


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"labels_of": {"german": ["angry"]}}, "of domain de there is one class only, angry"),
        ({"domain": "corpus", "labels_of": {"english": ["sad"]}}, "of domain english there is one"),
        ({"merge": {"happy": "other", "sad": "other"}, "labels": ["other", "x"]}, "one class only"),
    ],
)
def test_a_domain_of_one_class_is_told_before_any_job(languages, changes, said):
    languages["protocols"]["several"] |= changes
    told = refused(languages)
    assert said in told
    assert "bottom has nothing to tell apart there; give it labels" in told
