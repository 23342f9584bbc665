"""Figures of embeddings and of gates: every name is checked before any job."""

import copy

import pytest

from emonas.errors import EmonasError
from emonas.report.embeddings_options import EmbeddingsOptions
from emonas.report.gates_options import GatesOptions
from emonas.settings.cards import report_plan
from emonas.settings.listings import check_listings
from emonas.settings.load import check_settings
from emonas.settings.plan import Plan


def embeddings(**panel):
    said = {"system": "linear", "protocol": "loso", **panel}
    return {"kind": "embeddings", "panels": {"P": said}}


def gates(**changes):
    said = {"system": "rnn", "protocol": "loso", "single": {"fbank": "linear"}}
    return {"kind": "gates", **said, **changes}


def with_gates(document):
    """A system that weighs features, in the run of a protocol that tells domains apart."""
    inputs = ["fbank", "image"]
    document["systems"]["gated"] = {"network": "omoe", "inputs": inputs, "selector": "image"}
    document["runs"][0]["systems"].append("gated")
    return document


def with_figure(document, figure, **protocol):
    document["protocols"]["loso"] |= protocol
    document["figures"] = {"f": figure}
    return document


def test_right_figures_are_read_and_planned(document):
    with_gates(document)["protocols"]["loso"] |= {"domain": "corpus"}
    document["figures"] = {
        "e": embeddings(domain="spoken", part="all", fold="s1"),
        "g": gates(system="gated", protocols={"spoken": "own"}, published="not in our copy"),
    }
    settings = check_settings(document)
    assert isinstance(settings.figures["e"], EmbeddingsOptions)
    assert isinstance(settings.figures["g"], GatesOptions)
    assert settings.figures["e"].panels["P"].part == "all"
    plan = report_plan(Plan(settings), "f.yaml", "snakemake")
    assert plan.figures == settings.figures


LANGUAGE = {"domain": "language"}


@pytest.mark.parametrize(
    ("figure", "protocol", "words"),
    [
        (
            {"kind": "embedings", "panels": {}},
            {},
            "figures.f.kind: nothing is named embedings; did you mean embeddings? (there are "
            "lines, embeddings, gates)",
        ),
        ("fig", {}, "figures.f: must be keys with values, not 'fig'"),
        (
            {"kind": "lines", "lines": {"x": {"metrik": "ua"}}, "panels": {"P": {"points": {}}}},
            {},
            "figures.f.lines.x.metrik: is no known key; did you mean metric?",
        ),
        (embeddings(prt="test"), {}, "figures.f.panels.P.prt: is no known key; did you mean part?"),
        (
            {"kind": "embeddings", "panels": {}},
            {},
            "figures.f.panels: needs 1 or more entries, not 0",
        ),
        (
            embeddings(part="tset"),
            {},
            "figures.f.panels.P.part: must be 'train', 'validation', 'test' or 'all', not 'tset'",
        ),
        (
            embeddings(system="liner"),
            {},
            "figures.f.panels.P.system: no system is named liner; did you mean linear?",
        ),
        (
            embeddings(protocol="losso"),
            {},
            "figures.f.panels.P.protocol: no protocol is named losso; did you mean loso?",
        ),
        (
            embeddings(system="gru", protocol="own"),
            {},
            "figures.f.panels.P.system: gru is in no run of protocol own",
        ),
        (
            embeddings(domain="de"),
            {},
            "figures.f.panels.P.domain: protocol loso has no domains; give it domain: language or "
            "domain: corpus, or leave domain out here",
        ),
        (
            embeddings(domain="spokn"),
            {"domain": "corpus"},
            "figures.f.panels.P.domain: protocol loso has no domain spokn; did you mean spoken? "
            "(there are spoken)",
        ),
        (
            embeddings(domain="fr"),
            LANGUAGE | {"language": ["de", "en"]},
            "figures.f.panels.P.domain: protocol loso has no domain fr (there are de, en)",
        ),
        (
            gates(system="rn"),
            {},
            "figures.f.system: no system is named rn; did you mean rnn?",
        ),
        (
            gates(single={"fbank": "liner"}),
            {},
            "figures.f.single.fbank: no system is named liner; did you mean linear?",
        ),
        (
            gates(protocols={"de": "owm"}),
            LANGUAGE,
            "figures.f.protocols.de: no protocol is named owm; did you mean own?",
        ),
        (
            gates(single={"fbnk": "linear"}),
            {},
            "figures.f.single: rnn hears no feature fbnk; did you mean fbank?",
        ),
        (
            gates(single={"fbank": "cnn"}),
            {},
            "figures.f.single.fbank: cnn hears no feature fbank",
        ),
        (
            gates(protocols={"de": "own"}, single={"fbank": "gru"}),
            LANGUAGE | {"language": ["de"]},
            "figures.f.single.fbank: gru is in no run of protocol own",
        ),
        (
            gates(protocol="own"),
            {},
            "figures.f.system: rnn is in no run of protocol own",
        ),
        (
            gates(),
            {},
            "figures.f.system: rnn (recurrent) weighs no features; name one of omoe, mmoe or "
            "multi-gating",
        ),
        (
            gates(protocols={"de": "own"}),
            {},
            "figures.f.protocols: protocol loso has no domains; give it domain: language or "
            "domain: corpus, or leave domain out here",
        ),
        (
            gates(published={"ua": {"spokn": {"fbank": 0.5}}}),
            {"domain": "corpus"},
            "figures.f.published: protocol loso has no domain spokn; did you mean spoken? "
            "(there are spoken)",
        ),
        (
            gates(published={"gates": {"spoken": {"fbnk": 0.5}}}),
            {"domain": "corpus"},
            "figures.f.published: rnn hears no feature fbnk; did you mean fbank?",
        ),
        (
            gates(published={"ua": {"de": {"fbank": 50}}}),
            LANGUAGE,
            "figures.f: published.ua.de.fbank is a fraction from 0 to 1, not 50",
        ),
        (gates(single={}), {}, "figures.f.single: needs 1 or more entries, not 0"),
    ],
)
def test_bad_figures_are_named(document, figure, protocol, words):
    with pytest.raises(EmonasError) as error:
        check_settings(with_figure(document, figure, **protocol))
    assert str(error.value) == words


def test_a_part_that_nobody_is_in(document):
    document["protocols"]["own"]["validate"] = "none"
    document["figures"] = {"f": embeddings(protocol="own", part="validation")}
    with pytest.raises(EmonasError) as error:
        check_settings(document)
    assert str(error.value) == "figures.f.panels.P.part: nobody validates in protocol own"
    document["figures"] = {"f": embeddings(protocol="own", part="all")}
    assert check_settings(document)


def test_languages_are_known_where_the_corpora_can_be_listed(document):
    with_gates(document)["corpora"]["spoken"]["languages"] = ["en", "de"]
    document["protocols"]["loso"] |= LANGUAGE
    for figure, path in (
        (embeddings(domain="ru"), "figures.f.panels.P.domain"),
        (gates(system="gated", protocols={"ru": "own"}), "figures.f.protocols"),
    ):
        plan = Plan(check_settings(with_figure(document, figure)))
        with pytest.raises(EmonasError) as error:
            check_listings(plan)
        assert str(error.value) == f"{path}: protocol loso has no domain ru (there are de, en)"
    check_listings(Plan(check_settings(with_figure(document, embeddings(domain="de")))))


def test_systems_of_one_feature_are_run_where_a_domain_has_no_protocol_of_its_own(document):
    """`linear` is taken out of the run of all domains."""
    with_gates(document)["runs"][0]["systems"].remove("linear")
    document["protocols"]["loso"] |= {"domain": "corpus"}
    given = gates(system="gated", protocols={"spoken": "own"})
    whole = with_figure(copy.deepcopy(document), given)
    assert check_settings(whole)
    with pytest.raises(EmonasError) as error:
        check_settings(with_figure(document, gates()))
    assert str(error.value) == "figures.f.single.fbank: linear is in no run of protocol loso"


def test_no_table_takes_the_file_of_a_figures_panels(document):
    row = {"system": "linear", "protocol": "loso"}
    document["figures"] = {"f": embeddings()}
    document["tables"] = {"f-panels": {"rows": {"r": row}}}
    with pytest.raises(EmonasError) as error:
        check_settings(document)
    assert str(error.value) == (
        "tables.f-panels: a table of the report has this name; name it otherwise"
    )
    document["tables"] = {"loso-cnn-connections": {"rows": {"r": row}}}
    with pytest.raises(EmonasError, match="a table of the report has this name"):
        check_settings(document)


def test_a_single_feature_is_heard_alone(document):
    with_gates(document)["protocols"]["loso"] |= {"domain": "corpus"}
    with pytest.raises(EmonasError) as error:
        check_settings(with_figure(document, gates(system="gated", single={"fbank": "gated"})))
    assert str(error.value) == (
        "figures.f.single.fbank: gated hears fbank, image; name a system that hears fbank alone"
    )
