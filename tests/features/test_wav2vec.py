import argparse
import hashlib
import math
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from emonas.errors import EmonasError
from emonas.features.extraction import Extractor, Speech
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


def build(options: Options, **runtime: object) -> Extractor:
    return wav2vec.build(options, RuntimeOptions(**{"device": "cpu", **runtime}))


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
    extractor = build(Options(checkpoint=path, output=output, frames=None, pool=1))
    waveforms = [noise(1600), noise(700)]
    features = extractor.extract([Speech("u", waveform) for waveform in waveforms])
    for frames, waveform in zip(features, waveforms, strict=True):
        expected = computed(waveform)["zc".index(output)].T
        np.testing.assert_allclose(frames, expected, atol=1e-5)
    assert extractor.checkpoint == hashlib.sha256(path.read_bytes()).hexdigest()
    assert extractor.frame_rate == 1600


def test_frames_are_padded_or_cut_and_then_pooled(tmp_path: Path) -> None:
    path = write_checkpoint(tmp_path / "w.pt")
    waveform = noise(1600)
    _, context = computed(waveform)
    count = context.shape[1]
    for frames in (count + 6 - count % 4, 40):
        expected = F.pad(context, (0, frames - count)).T if frames > count else context.T[:frames]
        groups = [group.mean(dim=0) for group in expected.split(4)]
        extractor = build(Options(checkpoint=path, frames=frames))
        (features,) = extractor.extract([Speech("u", waveform)])
        np.testing.assert_allclose(features, torch.stack(groups), atol=1e-5)
        assert extractor.frame_rate == 400


def test_the_papers_setting_gives_727_frames_even_of_a_click(tmp_path: Path) -> None:
    extractor = build(Options(checkpoint=write_checkpoint(tmp_path / "w.pt")))
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
        build(Options(checkpoint=path))
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("legacy", [True, False])
@pytest.mark.parametrize("kept", [0, 0.1, 0.5, 0.9])
def test_a_truncated_checkpoint_is_refused(tmp_path: Path, legacy: bool, kept: float) -> None:
    path = write_checkpoint(tmp_path / "w.pt")
    if legacy:
        with torch.serialization.safe_globals([argparse.Namespace]):
            content = torch.load(path, weights_only=True)
        torch.save(content, path, _use_new_zipfile_serialization=False)
        build(Options(checkpoint=path))
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * kept)])
    with pytest.raises(EmonasError, match="no whole checkpoint"):
        build(Options(checkpoint=path))


def test_what_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EmonasError, match="cannot be read"):
        build(Options(checkpoint=tmp_path / "nothing.pt"))
    for name, content in {"list": [1, 2], "state": released_state(), "odd": {"args": 3}}.items():
        torch.save(content, tmp_path / name)
        with pytest.raises(EmonasError, match="no checkpoint of wav2vec"):
            build(Options(checkpoint=tmp_path / name))


class Malicious:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return exec, ("raise SystemExit('code of the checkpoint was run')",)


def test_no_code_of_a_checkpoint_is_run(tmp_path: Path) -> None:
    torch.save({"args": argparse.Namespace(), "model": Malicious()}, tmp_path / "w.pt")
    with pytest.raises(EmonasError, match="no whole checkpoint"):
        build(Options(checkpoint=tmp_path / "w.pt"))


def test_a_missing_checkpoint_is_told_without_loading_anything() -> None:
    assert Options().missing == "checkpoint is not given"
    assert Options(checkpoint=Path("w.pt")).missing == ""
    with pytest.raises(EmonasError, match="checkpoint is not given"):
        build(Options())


def test_the_runtime_says_where_and_with_how_many_threads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = Options(checkpoint=write_checkpoint(tmp_path / "w.pt"), frames=None)
    before = torch.get_num_threads()
    try:
        build(options, torch_threads=2)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(EmonasError, match=r"runtime\.device: cuda, but torch finds no GPU"):
        build(options, device="cuda")
    # Where torch finds a GPU, cpu means cpu all the same.
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    (frames,) = build(options, device="cpu").extract([Speech("u", noise(1600))])
    assert np.isfinite(frames).all()
