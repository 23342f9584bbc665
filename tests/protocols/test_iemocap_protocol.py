"""From a tree in IEMOCAP's layout to folds and their audit, as the jobs write them."""

import json

import pandas as pd
import pytest

from emonas.corpora.job import write_corpus
from emonas.corpora.readers import iemocap
from emonas.errors import EmonasError
from emonas.protocols.audit_job import write_audit
from emonas.protocols.job import write_fold, write_index
from emonas.protocols.options import ProtocolOptions
from emonas.storage.folds import PARTS, read_index, read_part
from emonas.storage.manifest import read_manifest

SPEAKERS = [f"Ses0{session}{letter}" for session in range(1, 6) for letter in "FM"]


@pytest.fixture
def manifest(iemocap_tree, tmp_path):
    path = tmp_path / "corpora" / "manifest.csv"
    write_corpus("iemocap", iemocap.Options(root=iemocap_tree), path, path.with_name("p.csv"))
    return path


@pytest.fixture
def jobs(manifest, tmp_path):
    """Runs the jobs of a protocol; gives its parts by fold, and the folder of the audit."""

    def run(**given):
        options = ProtocolOptions.model_validate({"corpora": "iemocap", "test": "speaker", **given})
        manifests, folder = {"iemocap": manifest}, tmp_path / "protocols"
        write_index("p", options, manifests, folder / "folds.csv")
        paths = {
            fold: {part: folder / fold / f"{part}.csv" for part in PARTS}
            for fold in read_index(folder / "folds.csv")["fold"]
        }
        for fold, parts in paths.items():
            write_fold("p", options, manifests, fold, parts)
        write_audit("p", options, manifests, paths, {}, folder / "audit.json")
        return {
            fold: {part: set(read_part(path)["utterance"]) for part, path in parts.items()}
            for fold, parts in paths.items()
        }

    return run


def speakers(utterances):
    """By the letter of the last field, whatever the dialog's name says."""
    return {name[:5] + name.rsplit("_", 1)[1][0] for name in utterances}


@pytest.mark.parametrize("swap", [False, True])
def test_the_partner_validates_and_their_session_is_not_trained_on(jobs, swap):
    folds = jobs(validate="partner", swap=swap, allow=["text"])
    tested = [speakers(parts["test"]) for parts in folds.values()]
    assert tested == [{name} for name in SPEAKERS if swap or name.endswith("F")]
    for parts in folds.values():
        (name,) = speakers(parts["test"])
        partner = name[:5] + {"F": "M", "M": "F"}[name[5]]
        assert speakers(parts["validation"]) == {partner}
        assert speakers(parts["train"]) == set(SPEAKERS) - {name, partner}
        assert len(parts["train"]) == 16


def test_speakers_by_the_prefix_of_the_dialog_are_stopped_by_the_audit(jobs, manifest, tmp_path):
    names = list(read_manifest(manifest)["utterance"])
    rows = [
        {"utterance": name, "fold": prefix, "part": "test" if name[:6] == prefix else "train"}
        for prefix in SPEAKERS
        for name in names
    ]
    pd.DataFrame(rows).to_csv(tmp_path / "by prefix.csv", index=False)
    with pytest.raises(EmonasError) as error:
        jobs(test="list", list=tmp_path / "by prefix.csv", allow=["session", "text"])
    assert (
        "speaker Ses01F: Ses01M_script01_1b_F000 in train and Ses01F_impro01_F000 in test; "
        "speaker Ses01M: Ses01M_script01_1b_M001 in train and Ses01F_impro01_M003 in test"
    ) in str(error.value)
    assert not (tmp_path / "protocols" / "audit.json").exists()
    failed = json.loads((tmp_path / "protocols" / "audit.failed.json").read_text())
    shared = {
        crossing["fold"]: {entry["name"] for entry in crossing["shared"]}
        for crossing in failed["crossings"]
        if crossing["kind"] == "speaker"
    }
    assert shared == {name: {name[:5] + "F", name[:5] + "M"} for name in SPEAKERS}
