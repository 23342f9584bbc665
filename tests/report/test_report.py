"""The whole report, made from a small tree of results."""

import csv
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from emonas.errors import EmonasError
from emonas.report.job import write_report
from emonas.report.names import report_figures, report_tables
from emonas.report.plan import ReportPlan
from emonas.storage.metrics import read_metrics

VOID = {"meta", "img", "br", "hr", "link", "input"}


class _Page(HTMLParser):
    """Checks that tags close in order, and collects what the page refers to."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.sources: list[str] = []
        self.links: list[str] = []
        self.text = ""

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)
        for key, value in attributes:
            if key == "id":
                self.ids.append(value)
            elif key == "src":
                self.sources.append(value)
            elif key == "href":
                self.links.append(value)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.text += data


@pytest.fixture(scope="module")
def report(plan: ReportPlan, results: Path) -> Path:
    output = results / "report"
    write_report(plan, results, output)
    return output


@pytest.fixture(scope="module")
def html(report: Path) -> str:
    return (report / "index.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(html: str) -> _Page:
    parser = _Page()
    parser.feed(html)
    parser.close()
    assert parser.open == []
    return parser


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_declared_file_is_there(plan, report):
    for name in [*report_figures(plan), *report_tables(plan)]:
        assert (report / name).stat().st_size > 0, name
    for name in report_figures(plan):
        assert (report / name).with_suffix(".png").read_bytes().startswith(b"\x89PNG")
    assert not list(report.parent.glob(".report*"))


def test_the_tables_hold_the_metrics(plan, results, report):
    rows = {row["system"]: row for row in _rows(report / "tables/emodb-loso-systems.csv")}
    folds = _rows(report / "tables/emodb-loso-folds.csv")
    for system in plan.runs[0].systems:
        metrics = read_metrics(results / f"evaluate/emodb-loso/{system}/metrics.json")
        assert float(rows[system]["ua"]) == metrics.ua.mean
        assert float(rows[system]["wa_std"]) == metrics.wa.std
        assert float(rows[system]["ua_folds"]) == metrics.ua.folds_mean
        assert int(float(rows[system]["parameters"])) == metrics.parameters.derived
        own = [row for row in folds if row["system"] == system]
        assert [float(row["ua"]) for row in own] == [fold.ua for fold in metrics.folds]
    counts = [sum(row) for row in metrics.confusion]
    assert float(rows["chance"]["ua"]) == 0.25
    assert float(rows["chance"]["wa"]) == max(counts) / sum(counts)


def test_a_papers_table_shows_published_own_and_difference(plan, report):
    rows = {row["row"]: row for row in _rows(report / "tables/table4.csv")}
    branch = rows["wav2vec branch"]
    assert (float(branch["ua_published"]), float(branch["ua_own"])) == (0.662, 0.662)
    assert float(branch["ua_difference"]) == 0
    assert branch["wa_published"] == "not in our copy"
    assert branch["wa_difference"] == ""
    assert rows["PCNSE-SADRN-CTC"]["ua_own"] == ""
    assert rows["IEMOCAP"]["ua_own"] == "not run"
    markdown = (report / "tables/table4.md").read_text(encoding="utf-8")
    assert "| wav2vec branch | rnn | emodb-loso | 66.2 | 66.2 ± 1.2 | 0.0 |" in markdown
    assert plan.skipped[0].reason.replace("_", "\\_") in markdown


def test_synthetic_scores_are_marked_and_get_no_difference(report, page):
    rows = {row["row"]: row for row in _rows(report / "tables/table4.csv")}
    assert rows["100% & more_"]["ua_difference"] == "synthetic"
    warning = "the pipeline works, not that it recognises"
    assert warning in page.text
    for stem in ("toy-systems", "toy-folds", "table4"):
        assert warning in (report / f"tables/{stem}.md").read_text(encoding="utf-8")
        assert warning in (report / f"tables/{stem}.tex").read_text(encoding="utf-8")
    assert warning not in (report / "tables/emodb-loso-systems.md").read_text(encoding="utf-8")


def test_the_page_says_what_a_reader_must_know(plan, page):
    text = " ".join(page.text.split())
    assert "The protocol is speaker-dependent" in text
    assert "One search serves all folds" in text
    assert "2 trials of candidate cells diverged" in text
    assert plan.skipped[0].reason in text
    assert (
        "Degenerate genotype (seed 0 fold s03, seed 1 fold s03): no convolution in the reduction"
        in text
    )
    assert "1 text in both train and test, in 1 fold: allowed by the protocol." in text
    assert "a_01" not in text, "a report is shown to those who may not see a corpus's words"
    assert "No speakers, sessions or recordings cross between the parts." in text
    assert "s02: the test part has no sadness." in text
    assert "published counts are those of the search network" in text
    assert "snakemake --cores 2 --configfile 'workflow/examples/first look.yaml'" in text


def test_the_page_says_whether_a_search_was_worth_it(page):
    text = " ".join(page.text.split())
    assert (
        "rnn reaches 66.2% UA. It is better than the linear system linear (60.1%, 6.1 points "
        "apart, p = 0.031)." in text
    )
    assert (
        "cnn-c6l3 reaches 57.3% UA. It can't be told from the linear system linear (60.1%, 2.8 "
        "points apart, p = 0.250). Its validation curves" in text
    )


def test_a_protocol_has_a_card(report):
    told: dict[str, list[str]] = {}
    for row in _rows(report / "tables/emodb-loso-card.csv"):
        told.setdefault(row["what"], []).append(row["how"])
    assert told["Corpora"] == ["emodb"]
    assert told["Tested in turn"] == ["speaker"]
    assert told["May cross"] == ["text"]
    assert told["limit"] == ["9"]
    assert "1 text in both train and test, in 1 fold: allowed by the protocol" in told["Crosses"][0]
    assert told["Audit"] == ["s02: the test part has no sadness."]
    (encoder,) = told["Encoder"]
    assert encoder.startswith("wav2vec-large, pretrained on EMO-DB and Libri, emodb of this")
    assert encoder.endswith("heard by rnn, emotionnas and linear")
    rows = _rows(report / "tables/emodb-loso-utterances.csv")
    assert len(rows) == 3 * 3
    first = next(row for row in rows if (row["fold"], row["part"]) == ("s01", "test"))
    assert (first["anger"], first["utterances"], first["speakers"]) == ("10", "40", "s01-test 40")


def test_the_page_has_the_systems_in_pairs(page, report):
    text = " ".join(page.text.split())
    table = (report / "tables/emodb-loso-comparisons.md").read_text(encoding="utf-8")
    assert "2 pairs of systems" in text
    assert "| cnn-c6l3 | linear | −2.8 | 0.250 | – | −2.8 | 0.250 | – | 3 |" in table
    assert "| linear | rnn | −6.1 | 0.031 | rnn | −6.1 | 0.031 | rnn | 3 |" in table
    rows = {row["first"]: row for row in _rows(report / "tables/emodb-loso-comparisons.csv")}
    assert float(rows["linear"]["ua"]) == pytest.approx(-0.061)
    assert (rows["linear"]["ua_better"], rows["cnn-c6l3"]["ua_better"]) == ("rnn", "")
    assert "emotionnas is not compared: its test utterances are others." in text


def test_the_page_needs_nothing_from_elsewhere(report, page):
    assert "script" not in page.tags
    assert "link" not in page.tags
    assert page.sources
    assert all(source.startswith("data:image/svg+xml,") for source in page.sources)
    assert len(page.ids) == len(set(page.ids))
    for link in page.links:
        if link.startswith("#"):
            assert link[1:] in page.ids
        else:
            assert (report / link).exists()


def test_names_from_files_are_shown_and_never_run(html, page):
    assert "<script" not in html
    assert "wav/<script>alert('x')</script> & ä.wav" in page.text
    assert "A first look <at> speech emotion" in page.text


def test_latex_special_characters_are_escaped(report):
    latex = (report / "tables/table4.tex").read_text(encoding="utf-8")
    assert r"100\% \& more\_ &" in latex
    assert "66.2 $\\pm$ 1.2" in latex
    assert all(line.count("&") - line.count(r"\&") in (0, 11) for line in latex.splitlines())


def test_every_fold_of_the_first_seed_is_drawn(report):
    for ending in ("svg", "png", "csv"):
        drawn = {path.name for path in (report / "folds/toy/cnn-c6l3").glob(f"*.{ending}")}
        assert drawn == {
            f"{fold}-{what}.{ending}" for fold in ("s02", "s03") for what in ("cells", "alphas")
        }
        for what in ("cells", "alphas"):
            assert (report / f"figures/toy-cnn-c6l3-{what}.{ending}").exists()
    page = (report / "index.html").read_text(encoding="utf-8")
    assert '<a href="folds/toy/cnn-c6l3/s03-alphas.svg">s03</a>' in page


def test_the_same_results_give_the_same_bytes(plan, results, report, tmp_path):
    again = tmp_path / "a folder" / "again"
    again.parent.mkdir()
    write_report(plan, results, again)
    names = sorted(path.relative_to(report) for path in report.rglob("*") if path.is_file())
    assert names == sorted(path.relative_to(again) for path in again.rglob("*") if path.is_file())
    for name in names:
        assert (report / name).read_bytes() == (again / name).read_bytes(), name


def test_a_broken_run_leaves_the_report_before_as_it_was(plan, results, tmp_path):
    output = tmp_path / "report"
    output.mkdir()
    (output / "index.html").write_text("before", encoding="utf-8")
    broken = plan.model_copy(
        update={"runs": [plan.runs[0].model_copy(update={"protocol": "toy", "systems": ["none"]})]}
    )
    broken = broken.model_copy(update={"systems": {"none": plan.systems["linear"]}, "tables": {}})
    with pytest.raises(EmonasError, match=r"metrics\.json"):
        write_report(broken, results, output)
    assert (output / "index.html").read_text(encoding="utf-8") == "before"
    assert [path.name for path in tmp_path.iterdir()] == ["report"]


def test_neither_stage_imports_torch():
    code = (
        "import sys, emonas.evaluate.job, emonas.report.job; "
        "sys.exit('torch' in sys.modules or 'matplotlib.pyplot' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_plan_without_any_run_still_says_why(plan, tmp_path):
    empty = plan.model_copy(update={"runs": [], "recognition": []})
    write_report(empty, tmp_path, tmp_path / "report")
    text = (tmp_path / "report/index.html").read_text(encoding="utf-8")
    assert plan.skipped[0].reason in text
    assert (tmp_path / "report/tables/table4.csv").exists()
