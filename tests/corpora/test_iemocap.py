"""A tree in IEMOCAP's layout, written here."""

from pathlib import Path

import pytest

from emonas.corpora.readers import iemocap

HEADER = "% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]\n\n"


def block(turn: str, emotion: str) -> str:
    return (
        f"[6.2901 - 8.2357]\t{turn}\t{emotion}\t[2.5000, 2.5000, 2.5000]\n"
        "C-E2:\tNeutral;\t()\nC-E3:\tSadness; Anger;\t(tired)\nC-F1:\tAnger;\t()\n"
        "A-E3:\tval 3; act 2; dom  2;\t()\nA-F1:\tval 3; act 2; dom  1;\t()\n\n"
    )


def write_dialog(tone, root: Path, dialog: str, turns: dict[str, str], pitch: int) -> None:
    session = root / f"Session{dialog[4]}"
    for step, turn in enumerate(turns):
        name = f"{dialog}_{turn}.wav"
        tone(session / "sentences" / "wav" / dialog / name, pitch=pitch + 7 * step)
        (session / "sentences" / "wav" / dialog / f"._{name}").write_bytes(b"\0\5\x16\7")
    evaluation = session / "dialog" / "EmoEvaluation"
    (evaluation / "Categorical").mkdir(parents=True, exist_ok=True)
    (evaluation / "Categorical" / f"{dialog}_e1_cat.txt").write_text("ignored\n")
    (evaluation / f"{dialog}.txt").write_text(
        HEADER + "".join(block(f"{dialog}_{turn}", code) for turn, code in turns.items())
    )
    (evaluation / f"._{dialog}.txt").write_bytes(b"\0\5\x16\7\xff")
    words = session / "dialog" / "transcriptions"
    words.mkdir(parents=True, exist_ok=True)
    (words / f"{dialog}.txt").write_text(
        "".join(
            f"{dialog}_{turn} [006.2901-008.2357]: These are the words of {turn}.\n"
            for turn in turns
        )
        + f"{dialog}_MXX0 [009.0000-009.5000]: [LAUGHTER]\nM: [BREATHING]\n"
    )


@pytest.fixture
def root(tone, tmp_path: Path) -> Path:
    """Five sessions; in each, both prefixes, and both speakers under each prefix."""
    root = tmp_path / "IEMOCAP full release"
    for session in range(1, 6):
        women, men = f"Ses0{session}F", f"Ses0{session}M"
        write_dialog(
            tone, root, f"{women}_impro01", {"F000": "neu", "M003": "exc"}, 200 + 100 * session
        )
        write_dialog(
            tone, root, f"{men}_script01_1b", {"F000": "ang", "M001": "xxx"}, 250 + 100 * session
        )
    return root


def test_the_speaker_is_the_letter_of_the_last_field(root, written):
    manifest, _ = written(iemocap.Options(root=root))
    assert len(manifest) == 20
    assert set(manifest["speaker"]) == {f"Ses0{i}{letter}" for i in range(1, 6) for letter in "FM"}
    for utterance, row in manifest.iterrows():
        assert row["speaker"] == str(utterance)[:5] + str(utterance).rsplit("_", 1)[1][0]
    man = manifest.loc["Ses01F_impro01_M003"]
    assert (man["speaker"], man["gender"], man["session"]) == ("Ses01M", "male", "1")


def test_labels_styles_and_words(root, written):
    manifest, problems = written(iemocap.Options(root=root))
    improvised = manifest.loc["Ses03F_impro01_M003"]
    scripted = manifest.loc["Ses03M_script01_1b_M001"]
    assert (improvised["emotion"], improvised["style"]) == ("excited", "improvised")
    assert (scripted["emotion"], scripted["style"]) == ("no agreement", "scripted")
    assert improvised["text"] == "These are the words of M003."
    assert improvised["seconds"] == pytest.approx(0.5)
    assert not any(name.startswith("._") for name in problems.index)
    # only the published number of utterances is missed: speakers and sessions are whole
    assert [text.split(" can")[0] for text in problems["problem"]] == ["20 utterances"]


def test_what_is_wrong_with_single_files_is_listed(root, tone, written):
    dialog = root / "Session2" / "sentences" / "wav" / "Ses02F_impro01"
    tone(dialog / "Ses02F_impro01_F099.wav", pitch=999)
    (dialog / "Ses02F_impro01_F000.wav").unlink()
    labels = root / "Session4" / "dialog" / "EmoEvaluation" / "Ses04F_impro01.txt"
    labels.write_text(labels.read_text().replace("\texc\t", "\tjoy\t"))
    (root / "Session5" / "dialog" / "transcriptions" / "Ses05F_impro01.txt").unlink()
    manifest, problems = written(iemocap.Options(root=root))
    assert len(manifest) == 18
    assert "labels it" in problems.loc["Ses02F_impro01_F099.wav", "problem"]
    assert "Ses02F_impro01_F000 has a label" in problems.loc["Ses02F_impro01.txt", "problem"]
    assert "joy" in problems.loc["Ses04F_impro01_M003.wav", "problem"]
    assert problems.loc["Ses05F_impro01_M003.wav", "consequence"] == "used, without a text"
    assert manifest.loc["Ses05F_impro01_M003", "text"] == ""
