"""A vector a word of what was said, by a BERT of transformers (CTA-RNN, section 4.2.1)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from emonas.checkpoints.transformers_folder import check_model_type, load_model, reading
from emonas.errors import EmonasError
from emonas.features.extraction import EncoderOptions, Extractor, Resources, Speech
from emonas.features.precision import computes_in_half
from emonas.options import LayerName
from emonas.storage.features import Array

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

EXAMPLE = "google-bert/bert-large-uncased"
_MODEL_TYPES = ("bert", "roberta", "xlm-roberta", "distilbert")
_VOCABULARIES = ("tokenizer.json", "vocab.txt", "vocab.json", "sentencepiece.bpe.model")
_OWN_WEIGHTS = ("embeddings.", "encoder.", "transformer.")
_UNUSED_WEIGHTS = ("pooler.", "embeddings.position_ids")
_TOGETHER = 32
"""Texts that are encoded at a time: they cost little beside audio of any length."""


class Options(EncoderOptions):
    """Options of BERT."""

    hears: ClassVar[bool] = False
    reads: ClassVar[bool] = True
    last_alone: ClassVar[bool] = True
    """Without layers asked for it gives one, which has no name."""
    package: ClassVar[str] = "transformers"
    extra: ClassVar[str] = "transformers"

    extractor: Literal["bert"] = Field("bert", description="name of the extractor")
    transcript: str | None = Field(
        None, description="a name under `transcripts`; null reads the corpus's own text"
    )
    layers: tuple[LayerName, ...] | None = Field(
        None,
        description="layers that are stored; null stores those that the systems of the settings "
        "file ask for, or where they ask for none the last (our reading)",
    )


class WordVectors:
    """Gives (words, features) an utterance, or (layers, words, features) of layers asked for.

    Words are what stands between white space; a word's vector is the mean over its pieces (our
    reading), and those of [CLS] and [SEP] are left out, as are words of which the tokenizer leaves
    nothing. Layer "0" is what enters the first block, "1" the output of the first block, and so
    on. An utterance without words has one vector of zeros. A text that is longer than the model's
    positions is cut between words, and each piece is read on its own.
    """

    frame_rate = 1.0
    """Words have no time: a word counts as a second."""

    def __init__(
        self,
        options: Options,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        layers: tuple[str, ...],
        device: torch.device,
    ) -> None:
        half = computes_in_half(options.precision, device)
        whole: Any = model
        self._model = whole.half().to(device) if half else whole.to(device)
        self._device = device
        self._tokenizer: Any = tokenizer
        self._positions = _positions(model.config, tokenizer)
        self._wanted = [int(layer) for layer in layers] or [model.config.num_hidden_layers]
        self._width = int(model.config.hidden_size)
        self.layers = layers

    def extract(self, batch: Sequence[Speech]) -> list[Array]:
        """Give (words, features) for each utterance, or (layers, words, features)."""
        cut = [self._cut(speech.text.split()) for speech in batch]
        encoded = self._encoded([words for texts in cut for words in texts])
        return [self._joined([next(encoded) for _ in texts]) for texts in cut]

    def _cut(self, words: list[str]) -> list[list[str]]:
        """Cut between words into texts that the model has positions for."""
        if not words:
            return []
        whole = self._tokenizer(
            words, is_split_into_words=True, add_special_tokens=False, verbose=False
        )
        pieces = Counter(whole.word_ids())
        room = self._positions - self._tokenizer.num_special_tokens_to_add()
        texts: list[list[str]] = [[]]
        used = 0
        for number, word in enumerate(words):
            if texts[-1] and used + pieces[number] > room:
                texts.append([])
                used = 0
            texts[-1].append(word)
            used += pieces[number]
        return texts

    def _encoded(self, texts: Sequence[list[str]]) -> Iterator[Array]:
        """Give (layers, words, features) of each text."""
        for start in range(0, len(texts), _TOGETHER):
            together = texts[start : start + _TOGETHER]
            encoding = self._tokenizer(
                together,
                is_split_into_words=True,
                padding=True,
                truncation=True,
                max_length=self._positions,
                return_tensors="pt",
            )
            states = self._states(encoding["input_ids"], encoding["attention_mask"])
            for row in range(len(together)):
                yield _words(states[row], encoding.word_ids(row))

    def _states(self, pieces: torch.Tensor, mask: torch.Tensor) -> Array:
        """Give (texts, layers, pieces, features)."""
        import torch

        with torch.inference_mode():
            given = self._model(
                input_ids=pieces.to(self._device),
                attention_mask=mask.to(self._device),
                output_hidden_states=True,
            ).hidden_states
            states = torch.stack([given[layer] for layer in self._wanted], dim=1)
            stacked: Array = states.float().cpu().numpy()
        return stacked

    def _joined(self, texts: Sequence[Array]) -> Array:
        nothing = np.zeros((len(self._wanted), 0, self._width), dtype=np.float32)
        joined = np.concatenate([nothing, *texts], axis=1)
        if joined.shape[1] == 0:
            joined = np.zeros((len(self._wanted), 1, self._width), dtype=np.float32)
        return joined if self.layers else joined[0]


def build(options: Options, resources: Resources) -> Extractor:
    """Load the checkpoint, a folder of transformers with its tokenizer, and make the extractor.

    Raises:
        EmonasError: the checkpoint is damaged, of another architecture or without a tokenizer, a
            layer is asked for that it has not, or a GPU is asked for where there is none.
    """
    from transformers import AutoModel

    from emonas.learning.devices import prepare

    path = resources.weights
    check_model_type(path, _MODEL_TYPES, EXAMPLE)
    model = load_model(path, AutoModel, _OWN_WEIGHTS, _UNUSED_WEIGHTS, trust_remote_code=False)
    tokenizer = _tokenizer(path, model.config)
    resources.chosen_layers(0, model.config.num_hidden_layers)
    device = prepare(resources.runtime, 0)
    return WordVectors(options, model, tokenizer, resources.layers, device)


def _tokenizer(path: Path, config: Any) -> PreTrainedTokenizerBase:
    """Load the tokenizer.

    Raises:
        EmonasError: the folder has none, it is damaged, or it is another model's.
    """
    from transformers import AutoTokenizer

    # transformers would make an empty tokenizer, which knows no word.
    if not any((path / name).is_file() for name in _VOCABULARIES):
        raise EmonasError(
            f"{path}: there is no tokenizer (vocab.txt or tokenizer.json); fetch the whole folder"
        )
    # Only then does RoBERTa's tokenizer take a text word by word.
    extra = {"add_prefix_space": True} if config.model_type == "roberta" else {}
    with reading(path):
        tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(
            path, local_files_only=True, trust_remote_code=False, use_fast=True, **extra
        )
    if len(tokenizer) > config.vocab_size:
        raise EmonasError(
            f"{path}: the tokenizer has {len(tokenizer)} pieces and the model {config.vocab_size}; "
            "fetch the whole folder again"
        )
    tokenizer.padding_side = "right"
    return tokenizer


def _positions(config: Any, tokenizer: PreTrainedTokenizerBase) -> int:
    """Give how many pieces the model reads at a time."""
    positions = int(config.max_position_embeddings)
    if "roberta" in config.model_type:
        # RoBERTa counts positions from behind the number of its padding.
        positions -= int(config.pad_token_id) + 1
    return min(positions, int(tokenizer.model_max_length))


def _words(states: Array, numbers: Sequence[int | None]) -> Array:
    """Average (layers, pieces, features) over the pieces of each word."""
    inside = [piece for piece, number in enumerate(numbers) if number is not None]
    owners = np.asarray([numbers[piece] for piece in inside], dtype=np.int64)
    if not inside:
        return states[:, :0]
    starts = np.flatnonzero(np.diff(owners, prepend=-1))
    counts = np.diff(starts, append=len(owners))
    sums = np.add.reduceat(states[:, inside], starts, axis=1, dtype=np.float64)
    means: Array = (sums / counts[None, :, None]).astype(np.float32)
    return means
