import importlib.util
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from emonas.checkpoints.checkpoint import Checkpoint
from emonas.errors import EmonasError
from emonas.features.extraction import Extractor, Resources, Speech
from emonas.features.extractors import fbank
from emonas.features.extractors.conformer import Options, build
from emonas.learning.options import RuntimeOptions
from emonas.networks.conformer import ConformerEncoder, ConformerShape
from emonas.storage.frames import pooled

Write = Callable[..., Path]
RUNTIME = RuntimeOptions()


def extractor_of(folder: Path, layers: tuple[str, ...] = (), **options: object) -> Extractor:
    resources = Resources(RUNTIME, Checkpoint("asr", folder, ""), layers)
    return build(Options(checkpoint="asr", **options), resources)


def noise(samples: int, seed: int = 0) -> np.ndarray:
    return (0.1 * np.random.default_rng(seed).normal(size=samples)).astype(np.float32)


def standardised(folder: Path, waveform: np.ndarray) -> np.ndarray:
    """The frames of the extractor fbank, with the statistics of the release."""
    statistics = json.loads((folder / "global_cmvn").read_text())
    mean = np.array(statistics["mean_stat"]) / statistics["frame_num"]
    variance = np.array(statistics["var_stat"]) / statistics["frame_num"] - mean**2
    extractor = fbank.build(fbank.Options(), Resources(RUNTIME))
    (frames,) = extractor.extract([Speech("u", waveform)])
    return (frames - mean) / np.sqrt(variance)


def expected_blocks(folder: Path, waveform: np.ndarray) -> list[np.ndarray]:
    """The encoder by itself, on standardised frames."""
    encoder = ConformerEncoder(ConformerShape(width=32, heads=4, hidden=48, blocks=3)).eval()
    state = torch.load(folder / "final.pt", weights_only=True)
    for name, values in encoder.state_dict().items():
        if not name.startswith("global_cmvn"):
            values.copy_(state[f"encoder.{name}"])
    frames = torch.from_numpy(standardised(folder, waveform)).float()
    with torch.inference_mode():
        encoded = encoder(frames[None], torch.tensor([len(frames)]))
    return [block[0].numpy() for block in encoded.blocks]


def test_layers_are_the_blocks_on_standardised_filterbanks(write_release: Write) -> None:
    folder, waveform = write_release(), noise(16000)
    extractor = extractor_of(folder)
    (layers,) = extractor.extract([Speech("u", waveform)])
    assert extractor.layers == ("1", "2", "3")
    assert extractor.frame_rate == 25
    assert layers.dtype == np.float32
    assert layers.shape == (3, 23, 32)
    np.testing.assert_allclose(layers, np.stack(expected_blocks(folder, waveform)), atol=1e-4)


def test_some_layers_and_pooling(write_release: Write) -> None:
    folder, waveform = write_release(), noise(16000)
    extractor = extractor_of(folder, ("2", "1"), pool=4)
    (layers,) = extractor.extract([Speech("u", waveform)])
    blocks = expected_blocks(folder, waveform)
    assert extractor.layers == ("2", "1")
    assert extractor.frame_rate == 6.25
    for layer, block in zip(layers, [blocks[1], blocks[0]], strict=True):
        np.testing.assert_allclose(layer, pooled(block, 4), atol=1e-4)


def test_a_batch_gives_what_single_utterances_give(write_release: Write) -> None:
    extractor = extractor_of(write_release())
    # 398 frames, 5 of them, less than a window, and 97.
    speeches = [Speech(str(n), noise(n, n)) for n in (64000, 1040, 50, 15800)]
    together = extractor.extract(speeches)
    for speech, layers in zip(speeches, together, strict=True):
        (alone,) = extractor.extract([speech])
        assert layers.shape == alone.shape
        np.testing.assert_allclose(layers, alone, atol=1e-4)


def test_a_short_utterance_is_padded_with_zeros(write_release: Write) -> None:
    extractor = extractor_of(write_release())
    waveform = noise(500)
    longer = np.pad(waveform, (0, 400 + 6 * 160 - 500))
    (short,), (padded,) = (extractor.extract([Speech("u", w)]) for w in (waveform, longer))
    assert short.shape == (3, 1, 32)
    np.testing.assert_array_equal(short, padded)


def test_statistics_as_kaldi_writes_them(write_release: Write) -> None:
    folder, waveform = write_release(), noise(8000)
    (expected,) = extractor_of(folder).extract([Speech("u", waveform)])
    statistics = json.loads((folder / "global_cmvn").read_text())
    sums, squares = (" ".join(map(str, statistics[key])) for key in ("mean_stat", "var_stat"))
    (folder / "global_cmvn").write_text(f" [\n  {sums} 1000 \n  {squares} 0 ]\n")
    (layers,) = extractor_of(folder).extract([Speech("u", waveform)])
    np.testing.assert_array_equal(layers, expected)


def test_statistics_among_the_parameters_need_no_file(write_release: Write) -> None:
    mean, istd = torch.full((80,), 8.0), torch.full((80,), 0.25)
    names = ("encoder.global_cmvn.mean", "encoder.global_cmvn.istd")
    folder, waveform = write_release(state=dict(zip(names, (mean, istd), strict=True))), noise(8000)
    (layers,) = extractor_of(folder).extract([Speech("u", waveform)])
    sums = {"mean_stat": [8.0] * 80, "var_stat": [80.0] * 80, "frame_num": 1}
    (folder / "global_cmvn").write_text(json.dumps(sums))
    np.testing.assert_allclose(layers, np.stack(expected_blocks(folder, waveform)), atol=1e-4)
    (folder / "global_cmvn").unlink()
    (again,) = extractor_of(folder).extract([Speech("u", waveform)])
    np.testing.assert_array_equal(again, layers)


def test_what_other_versions_of_wenet_add_changes_nothing(write_release: Write) -> None:
    fbank_conf = {"feature_type": "fbank", "mel_bins": 80, "frame_shift": 10, "frame_length": 25}
    folder = write_release(
        {"concat_after": False, "positionwise_conv_kernel_size": 1},
        {"dataset_conf": {}, "collate_conf": {"feature_extraction_conf": fbank_conf}},
        {
            "encoder.embed.pos_enc.pe": torch.ones(1, 5000, 32),
            "encoder.encoders.0.concat_linear.weight": torch.ones(32, 64),
            "encoder.encoders.0.concat_linear.bias": torch.ones(32),
        },
    )
    waveform = noise(8000)
    (layers,) = extractor_of(folder).extract([Speech("u", waveform)])
    blocks = expected_blocks(folder, waveform)
    np.testing.assert_allclose(layers, np.stack(blocks), atol=1e-4)


@pytest.mark.parametrize(
    ("encoder_conf", "top", "message"),
    [
        ({"pos_enc_layer_type": "abs_pos"}, {}, "encoder_conf.pos_enc_layer_type is 'abs_pos'"),
        ({"static_chunk_size": 16}, {}, "encoder_conf.static_chunk_size is 16"),
        ({"concat_after": True}, {}, "encoder_conf.concat_after is True"),
        ({"cgmlp_linear_units": 2048}, {}, "encoder_conf.cgmlp_linear_units is 2048"),
        ({"attention_heads": 5}, {}, "output_size is no multiple of attention_heads"),
        ({"cnn_module_kernel": 8}, {}, "cnn_module_kernel is even"),
        ({}, {"encoder": "e_branchformer"}, "encoder is 'e_branchformer'"),
        ({}, {"input_dim": 83}, "input_dim is 83, and fbank_conf has 80 num_mel_bins"),
        ({}, {"dataset_conf": {"feats_type": "mfcc"}}, "dataset_conf.feats_type is 'mfcc'"),
    ],
)
def test_another_architecture_is_named(
    write_release: Write, encoder_conf: dict[str, object], top: dict[str, object], message: str
) -> None:
    folder = write_release(encoder_conf, top)
    with pytest.raises(EmonasError) as raised:
        extractor_of(folder)
    assert str(raised.value).startswith(f"{folder / 'train.yaml'}: ")
    assert message in str(raised.value)


@pytest.mark.parametrize("name", ["train.yaml", "final.pt", "global_cmvn"])
def test_a_missing_file_is_named(write_release: Write, name: str) -> None:
    folder = write_release()
    (folder / name).unlink()
    with pytest.raises(EmonasError) as raised:
        extractor_of(folder)
    assert str(raised.value).startswith(f"{folder / name}: ")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("train.yaml", "encoder: [conformer"),
        ("train.yaml", "conformer"),
        ("train.yaml", "encoder: !!python/object/apply:os.system [ls]"),
        ("global_cmvn", '{"mean_stat": [1.0]}'),
        ("global_cmvn", "[ 1 2 3 \n 4 5 0 ]"),
        ("global_cmvn", "nothing"),
        ("final.pt", "nothing"),
    ],
)
def test_a_damaged_file_is_named(write_release: Write, name: str, text: str) -> None:
    folder = write_release()
    (folder / name).write_text(text)
    with pytest.raises(EmonasError) as raised:
        extractor_of(folder)
    assert str(raised.value).startswith(f"{folder / name}: ")


@pytest.mark.parametrize("conf", [{"output_size": 64}, {"num_blocks": 4}, {"num_blocks": 2}])
def test_parameters_that_do_not_fit_are_refused(
    write_release: Write, conf: dict[str, object]
) -> None:
    with pytest.raises(EmonasError, match=r"final\.pt: the parameters do not fit the train\.yaml"):
        extractor_of(write_release(conf))


def test_weights_of_something_else_are_refused(write_release: Write) -> None:
    folder = write_release()
    torch.save({"model": {"weight": torch.zeros(1)}}, folder / "final.pt")
    with pytest.raises(EmonasError, match=r"final\.pt: this holds no parameters named encoder"):
        extractor_of(folder)


def test_a_file_in_place_of_the_folder_is_refused(write_release: Write) -> None:
    path = write_release() / "final.pt"
    with pytest.raises(EmonasError, match="this is no folder; give that of a WeNet release"):
        extractor_of(path)


def test_layers_that_are_not_there_are_refused(write_release: Write) -> None:
    with pytest.raises(EmonasError, match="there is no layer 4; ask for some of 1, 2, 3"):
        extractor_of(write_release(), ("2", "4"))


def test_another_sampling_rate_is_refused(write_release: Write) -> None:
    with pytest.raises(EmonasError, match="trained at 16000 Hz, and sampling_rate is 8000"):
        extractor_of(write_release(), sampling_rate=8000)


def test_no_checkpoint_is_refused() -> None:
    with pytest.raises(EmonasError, match="needs a checkpoint"):
        build(Options(checkpoint="asr"), Resources(RUNTIME))


@pytest.mark.skipif(importlib.util.find_spec("wenet") is not None, reason="WeNet is installed")
def test_the_original_says_where_it_runs(write_release: Write) -> None:
    with pytest.raises(EmonasError, match=r"--sdm conda, which takes envs/wenet\.yaml"):
        extractor_of(write_release(), backend="wenet")


@pytest.mark.skipif(importlib.util.find_spec("wenet") is None, reason="WeNet is not installed")
def test_the_original_gives_the_same(write_release: Write) -> None:
    folder = write_release()
    speeches = [Speech(str(n), noise(n, n)) for n in (32000, 1040)]
    ours = extractor_of(folder, ("1", "3")).extract(speeches)
    theirs = extractor_of(folder, ("1", "3"), backend="wenet").extract(speeches)
    for own, original in zip(ours, theirs, strict=True):
        assert own.shape == original.shape
        np.testing.assert_allclose(own, original, atol=1e-5)
