import argparse
import dataclasses
import importlib.util
import math
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from pydantic import ValidationError

from emonas.checkpoints.checkpoint import Checkpoint
from emonas.errors import EmonasError
from emonas.features.encoders.fairseq import hashable_dataclasses
from emonas.features.extraction import Extractor, Resources, Speech
from emonas.features.extractors import wav2vec
from emonas.features.extractors.wav2vec import Options
from emonas.learning.options import RuntimeOptions
from emonas.networks.wav2vec import Wav2vec

EXTRACTOR = [(6, 10, 5), (8, 4, 2), (8, 1, 1)]
AGGREGATOR = [(8, 2, 1), (8, 3, 1)]
LARGE_EXTRACTOR = [
    (512, 10, 5),
    (512, 8, 4),
    (512, 4, 2),
    (512, 4, 2),
    (512, 4, 2),
    (512, 1, 1),
    (512, 1, 1),
]


def resources(path: Path, **runtime: object) -> Resources:
    return Resources(
        RuntimeOptions(**{"device": "cpu", **runtime}), Checkpoint("w", path, "digest")
    )


def build(path: Path, **options: object) -> Extractor:
    return wav2vec.build(Options(checkpoint="w", **options), resources(path))


def released_state() -> dict[str, torch.Tensor]:
    """Parameters under the names of the release, pre-training head included."""
    generator = torch.Generator().manual_seed(5)
    shapes: dict[str, tuple[int, ...]] = {}
    width = 1
    for index, (channels, kernel, _) in enumerate(EXTRACTOR):
        layer = f"feature_extractor.conv_layers.{index}"
        shapes[f"{layer}.0.weight"] = (channels, width, kernel)
        shapes[f"{layer}.2.weight"] = shapes[f"{layer}.2.bias"] = (channels,)
        width = channels
    for index, (channels, kernel, _) in enumerate(AGGREGATOR):
        layer = f"feature_aggregator.conv_layers.{index}"
        shapes[f"{layer}.1.weight"] = (channels, width, kernel)
        for name in ("1.bias", "3.weight", "3.bias"):
            shapes[f"{layer}.{name}"] = (channels,)
    shapes["wav2vec_predictions.project_to_steps.weight"] = (8, 8, 1, 12)
    shapes["wav2vec_predictions.project_to_steps.bias"] = (8,)
    return {name: torch.randn(shape, generator=generator) for name, shape in shapes.items()}


def write_checkpoint(path: Path, **changed: object) -> Path:
    settings = {
        "arch": "wav2vec",
        "conv_feature_layers": str(EXTRACTOR),
        "conv_aggregator_layers": str(AGGREGATOR),
        "activation": "relu",
        "aggregator": "cnn",
        "skip_connections_agg": True,
        "residual_scale": 0.5,
        "log_compression": True,
    }
    settings.update(changed)
    torch.save({"args": argparse.Namespace(**settings), "model": released_state()}, path)
    return path


def computed(waveform: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
    """z and c of the checkpoint above, layer after layer as (features, frames)."""
    state = released_state()
    x = torch.from_numpy(waveform)[None, None]
    for index, (channels, _, stride) in enumerate(EXTRACTOR):
        layer = f"feature_extractor.conv_layers.{index}"
        x = F.conv1d(x, state[f"{layer}.0.weight"], stride=stride)
        x = F.group_norm(x, 1, state[f"{layer}.2.weight"], state[f"{layer}.2.bias"])
        x = F.relu(x)
        assert x.shape[1] == channels
    x = z = torch.log(x.abs() + 1)
    for index, (_, kernel, _) in enumerate(AGGREGATOR):
        layer = f"feature_aggregator.conv_layers.{index}"
        before = torch.cat([x[..., :1].repeat(1, 1, kernel - 1), x], dim=2)
        y = F.conv1d(before, state[f"{layer}.1.weight"], state[f"{layer}.1.bias"])
        y = F.group_norm(y, 1, state[f"{layer}.3.weight"], state[f"{layer}.3.bias"])
        x = (F.relu(y) + x) * math.sqrt(0.5)
    return z[0], x[0]


def noise(samples: int) -> np.ndarray:
    return (0.1 * np.random.default_rng(6).normal(size=samples)).astype(np.float32)


@pytest.mark.parametrize("output", ["c", "z"])
def test_features_are_those_of_a_plain_loop(tmp_path: Path, output: str) -> None:
    path = write_checkpoint(tmp_path / "with a space.pt")
    extractor = build(path, output=output, frames=None, pool=1)
    waveforms = [noise(1600), noise(700)]
    features = extractor.extract([Speech("u", waveform) for waveform in waveforms])
    for frames, waveform in zip(features, waveforms, strict=True):
        expected = computed(waveform)["zc".index(output)].T
        np.testing.assert_allclose(frames, expected, atol=1e-5)
    assert extractor.frame_rate == 1600


def test_frames_are_padded_or_cut_and_then_pooled(tmp_path: Path) -> None:
    path = write_checkpoint(tmp_path / "w.pt")
    waveform = noise(1600)
    _, context = computed(waveform)
    count = context.shape[1]
    for frames in (count + 6 - count % 4, 40):
        expected = F.pad(context, (0, frames - count)).T if frames > count else context.T[:frames]
        groups = [group.mean(dim=0) for group in expected.split(4)]
        extractor = build(path, frames=frames)
        (features,) = extractor.extract([Speech("u", waveform)])
        np.testing.assert_allclose(features, torch.stack(groups), atol=1e-5)
        assert extractor.frame_rate == 400


def test_the_papers_setting_gives_727_frames_even_of_a_click(tmp_path: Path) -> None:
    extractor = build(write_checkpoint(tmp_path / "w.pt"))
    features = extractor.extract([Speech("u", noise(1)), Speech("v", noise(40000))])
    assert [frames.shape for frames in features] == [(727, 8), (727, 8)]


def test_the_large_network_has_the_released_size() -> None:
    with torch.device("meta"):
        network = Wav2vec(LARGE_EXTRACTOR, range(2, 14))
        head = torch.nn.ConvTranspose2d(512, 512, (1, 12))
    released = [*network.state_dict().values(), *head.state_dict().values()]
    assert len(released) == 71
    assert sum(tensor.numel() for tensor in released) == 32_537_088
    assert sum(parameter.numel() for parameter in network.parameters()) == 29_390_848
    assert (network.hop, network.receptive_field) == (160, 465)


def test_the_large_extractor_gives_98_frames_a_second() -> None:
    network = Wav2vec([(4, kernel, stride) for _, kernel, stride in LARGE_EXTRACTOR], [2]).eval()
    with torch.inference_mode():
        assert network(torch.zeros(1, 16000))[1].shape == (1, 98, 4)
        assert network(torch.zeros(1, 465))[1].shape == (1, 1, 4)


def test_context_looks_only_into_the_past_but_for_its_normalisation() -> None:
    torch.manual_seed(0)
    network = Wav2vec(EXTRACTOR, [2, 3]).eval()
    for module in network.modules():
        if isinstance(module, torch.nn.GroupNorm):
            module.forward = lambda x: x  # type: ignore[method-assign]
    waveform = torch.randn(1, 500)
    changed = waveform.clone()
    changed[:, 400:] += 1
    with torch.inference_mode():
        before, after = network(waveform)[1], network(changed)[1]
    first = (400 - network.receptive_field) // network.hop + 1
    torch.testing.assert_close(before[:, :first], after[:, :first])
    assert not torch.equal(before[:, first:], after[:, first:])


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({"aggregator": "gru"}, "aggregator"),
        ({"vq_type": "gumbel"}, "vq_type"),
        ({"log_compression": False}, "log_compression"),
        ({"conv_feature_layers": "__import__('os').getcwd()"}, "conv_feature_layers"),
        ({"conv_feature_layers": "[(8, 10, 5)]"}, "do not fit"),
        ({"conv_aggregator_layers": "[(9, 2, 1)]"}, "conv_aggregator_layers"),
        ({"conv_aggregator_layers": "[]"}, "conv_aggregator_layers"),
    ],
)
def test_another_architecture_is_refused(
    tmp_path: Path, changed: dict[str, object], word: str
) -> None:
    path = write_checkpoint(tmp_path / "other.pt", **changed)
    with pytest.raises(EmonasError, match=word) as caught:
        build(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("legacy", [True, False])
@pytest.mark.parametrize("kept", [0, 0.1, 0.5, 0.9])
def test_a_truncated_checkpoint_is_refused(tmp_path: Path, legacy: bool, kept: float) -> None:
    path = write_checkpoint(tmp_path / "w.pt")
    if legacy:
        with torch.serialization.safe_globals([argparse.Namespace]):
            content = torch.load(path, weights_only=True)
        torch.save(content, path, _use_new_zipfile_serialization=False)
        build(path)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * kept)])
    with pytest.raises(EmonasError, match="no whole checkpoint"):
        build(path)


def test_what_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EmonasError, match="cannot be read"):
        build(tmp_path / "nothing.pt")
    for name, content in {"list": [1, 2], "state": released_state(), "odd": {"args": 3}}.items():
        torch.save(content, tmp_path / name)
        with pytest.raises(EmonasError, match="no checkpoint of wav2vec"):
            build(tmp_path / name)


class Malicious:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return exec, ("raise SystemExit('code of the checkpoint was run')",)


def test_no_code_of_a_checkpoint_is_run(tmp_path: Path) -> None:
    torch.save({"args": argparse.Namespace(), "model": Malicious()}, tmp_path / "w.pt")
    with pytest.raises(EmonasError, match="would run code"):
        build(tmp_path / "w.pt")


def test_a_batch_gives_what_single_utterances_give(tmp_path: Path) -> None:
    extractor = build(write_checkpoint(tmp_path / "w.pt"), frames=None, pool=1)
    speeches = [Speech(str(samples), noise(samples)) for samples in (3, 4000, 40, 900)]
    together = extractor.extract(speeches)
    for speech, frames in zip(speeches, together, strict=True):
        np.testing.assert_array_equal(frames, extractor.extract([speech])[0])


def test_audio_shorter_than_a_window_is_padded_with_zeros(tmp_path: Path) -> None:
    extractor = build(write_checkpoint(tmp_path / "w.pt"), frames=None, pool=1)
    (short,) = extractor.extract([Speech("u", noise(3))])
    window = np.concatenate([noise(3), np.zeros(22, dtype=np.float32)])
    np.testing.assert_allclose(short, computed(window)[1].T, atol=1e-5)
    assert short.shape == (1, 8)


def test_layers_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="no layers to choose from but z and c"):
        Options(checkpoint="w", layers=["3"])
    path = write_checkpoint(tmp_path / "w.pt")
    wanted = dataclasses.replace(resources(path), layers=("3",))
    with pytest.raises(EmonasError, match="no layers to choose from but z and c"):
        wav2vec.build(Options(checkpoint="w"), wanted)


def test_a_checkpoint_is_needed() -> None:
    with pytest.raises(EmonasError, match="needs a checkpoint"):
        wav2vec.build(Options(checkpoint="w"), Resources(RuntimeOptions()))


def test_an_untrained_network_gives_features_of_the_released_size() -> None:
    extractor = wav2vec.untrained(Options(checkpoint="w"), Resources(RuntimeOptions(device="cpu")))
    (frames,) = extractor.extract([Speech("u", noise(16000))])
    assert frames.shape == (727, 512)
    assert (frames[:25].any(axis=1)).all()
    assert not frames[25:].any()
    assert extractor.frame_rate == 25


@pytest.mark.skipif(
    importlib.util.find_spec("fairseq") is not None, reason="fairseq is installed here"
)
def test_where_fairseq_is_not_installed_it_says_where_it_runs(tmp_path: Path) -> None:
    with pytest.raises(EmonasError, match=r"--sdm conda, which takes envs/fairseq\.yaml"):
        build(write_checkpoint(tmp_path / "w.pt"), backend="fairseq")


def test_fairseqs_configurations_can_be_defaults() -> None:
    with hashable_dataclasses():

        @dataclasses.dataclass
        class Part:
            size: int = 3

        @dataclasses.dataclass()
        class Whole:
            part: Part = Part()  # noqa: RUF009

    assert Whole().part.size == 3
    with pytest.raises(ValueError, match="mutable default"):

        @dataclasses.dataclass
        class List:
            items: list[int] = []  # noqa: RUF008


def test_the_runtime_says_where_and_with_how_many_threads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_checkpoint(tmp_path / "w.pt")
    options = Options(checkpoint="w", frames=None)
    before = torch.get_num_threads()
    try:
        wav2vec.build(options, resources(path, torch_threads=2))
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(EmonasError, match=r"runtime\.device: cuda, but torch finds no GPU"):
        wav2vec.build(options, resources(path, device="cuda"))
    # Where torch finds a GPU, cpu means cpu all the same.
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    (frames,) = wav2vec.build(options, resources(path)).extract([Speech("u", noise(1600))])
    assert np.isfinite(frames).all()
