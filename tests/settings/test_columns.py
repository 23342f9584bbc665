"""Columns of one domain, and of the difference between two protocols."""

import pytest

from emonas.errors import EmonasError
from emonas.settings.cards import report_plan
from emonas.settings.listings import check_listings
from emonas.settings.load import check_settings
from emonas.settings.plan import Plan


@pytest.fixture
def document(document, tmp_path):
    """Two protocols over a synthetic corpus and a table's, by language and by corpus."""
    (tmp_path / "own").mkdir()
    lines = ["utterance,audio,speaker,emotion,language"]
    lines += [f"u{row},u{row}.wav,{row},sad,{('nl', 'it')[row % 2]}" for row in range(4)]
    (tmp_path / "own.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    root, file = str(tmp_path / "own"), str(tmp_path / "own.csv")
    document["corpora"]["own"] = {"reader": "csv", "root": root, "table": file}
    pooled = {"corpora": ["spoken", "own"]}
    document["protocols"] = {
        "groups": {**pooled, "test": "groups", "groups": 2, "domain": "language"},
        "random": {**pooled, "test": "random", "domain": "language"},
        "by-corpus": {**pooled, "test": "random", "domain": "corpus"},
        "loso": {"corpora": ["spoken"], "test": "speaker"},
    }
    document["runs"] = [
        {"protocol": name, "systems": ["linear"]} for name in ("groups", "random", "by-corpus")
    ]
    document["runs"].append({"protocol": "loso", "systems": ["linear", "gru"]})
    return document


def shows(document, system="linear", **column):
    document["tables"] = {
        "t": {"columns": {"HERE": column}, "rows": {"ours": {"system": system}, "theirs": {}}}
    }
    return document


CASES = [
    (
        {"protocol": "loso", "domain": "de"},
        "domain: protocol loso has no domains; give it domain: language or domain: corpus, or "
        "leave domain out here",
    ),
    (
        {"protocol": "by-corpus", "domain": "onw"},
        "domain: protocol by-corpus has no domain onw; did you mean own? (there are own, spoken)",
    ),
    (
        {"protocol": "groups", "less": "by-corpus", "domain": "de"},
        "domain: protocol by-corpus has no domain de (there are own, spoken)",
    ),
    (
        {"protocol": "random", "less": "group"},
        "less: no protocol is named group; did you mean groups?",
    ),
    (
        {"protocol": "random", "less": "random"},
        "less: is the protocol of the column itself (random); name another",
    ),
    (
        {"system": "gru", "protocol": "loso", "less": "random"},
        "less: gru is in no run under random; add it to one, or name another protocol",
    ),
    (
        # The row's only protocol is found, and is that of the column.
        {"system": "gru", "less": "loso"},
        "less: is the protocol of the column itself (loso); name another",
    ),
]


@pytest.mark.parametrize(("given", "sentence"), CASES)
def test_what_a_protocol_does_not_have_is_refused(document, given, sentence):
    with pytest.raises(EmonasError) as error:
        check_settings(shows(document, **given))
    assert str(error.value) == f"tables.t.columns.HERE.{sentence}"


def test_a_language_that_a_filter_leaves_out_is_refused(document):
    document["protocols"]["groups"]["language"] = ["de", "nl"]
    assert check_settings(shows(document, protocol="groups", domain="nl"))
    with pytest.raises(EmonasError, match=r"has no domain en \(there are de, nl\)"):
        check_settings(shows(document, protocol="groups", domain="en"))


def test_a_line_of_a_figure_shows_a_domain_that_is_there(document):
    def drawn(domain):
        line = {"protocol": "by-corpus", "domain": domain}
        panels = {"P": {"points": {1: "linear"}}}
        document["figures"] = {"f": {"lines": {"HERE": line}, "panels": panels}}
        return document

    assert check_settings(drawn("own"))
    with pytest.raises(EmonasError, match=r"figures\.f\.lines\.HERE\.domain: protocol by-corpus"):
        check_settings(drawn("other"))


@pytest.mark.parametrize("less", [None, "groups"])
def test_a_language_that_nobody_speaks_is_refused_before_the_first_job(document, less):
    given = {"protocol": "random"} | ({"less": less} if less else {})
    for language in ("de", "it"):
        check_listings(Plan(check_settings(shows(document, **given, domain=language))))
    with pytest.raises(EmonasError) as error:
        check_listings(Plan(check_settings(shows(document, **given, domain="ru"))))
    assert str(error.value) == (
        "tables.t.columns.HERE.domain: protocol random has no domain ru "
        "(there are de, en, fr, it, nl)"
    )


def test_a_corpus_that_can_t_be_listed_may_have_any_language(document):
    document["corpora"]["own"] = {"reader": "folders"}
    check_listings(Plan(check_settings(shows(document, protocol="random", domain="ru"))))


def test_a_table_does_not_take_the_name_of_the_table_by_domain(document):
    document["tables"] = {"groups-domains": {"rows": {}}}
    with pytest.raises(EmonasError, match=r"tables\.groups-domains: a table of the report"):
        check_settings(document)
    document["tables"] = {"loso-domains": {"rows": {}}}
    assert check_settings(document)


def test_the_report_is_told_what_a_protocol_s_domains_are(document):
    plan = report_plan(Plan(check_settings(document)), "s.yaml", "snakemake")
    domains = {name: card.domain for name, card in plan.protocols.items()}
    assert domains == {
        "groups": "language",
        "random": "language",
        "by-corpus": "corpus",
        "loso": "",
    }
