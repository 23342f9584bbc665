import argparse
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from emonas.errors import EmonasError
from emonas.features.extraction import Extractor, Resources, Speech
from emonas.features.extractors import allosaurus
from emonas.features.extractors.allosaurus import Options
from emonas.learning.options import RuntimeOptions

PHONES = ["a", "b", "d", "e", "i", "t"]
AM = {
    "model": "allosaurus",
    "feat_size": 120,
    "hidden_size": 12,
    "layer_size": 2,
    "proj_size": 0,
    "lang_size_dict": {"eng": 4},
    "phone_size": 1 + len(PHONES),
    "loss": "ctc",
}
PM = {
    "model": "mfcc_hires",
    "backend": "numpy",
    "sample_rate": 8000,
    "window_size": 0.025,
    "window_shift": 0.01,
    "feature_window": 3,
    "cep_size": 40,
    "bank_size": 40,
    "low_freq": 40,
    "high_freq": -200,
    "use_energy": False,
    "dither": 0.0,
    "cmvn": "speaker",
    "dtype": "float32",
}


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """A folder of models as the package releases them, with one of random weights."""
    pytest.importorskip("allosaurus", reason="the package allosaurus is not installed")
    from allosaurus.am.allosaurus_torch import AllosaurusTorchModel

    folder = tmp_path / "my models" / "tiny"
    (folder / "inventory").mkdir(parents=True)
    (folder / "am_config.json").write_text(json.dumps(AM))
    (folder / "pm_config.json").write_text(json.dumps(PM))
    (folder / "lm_config.json").write_text('{"model": "phone_ipa", "backend": "numpy"}')
    (folder / "phone.txt").write_text("\n".join(PHONES) + "\n")
    (folder / "inventory/eng.txt").write_text("b\ni\nt\n")
    language = {
        "LanguageName": "English",
        "ISO6393": "eng",
        "GlottoCode": "stan1293",
        "phonelists": "eng.txt",
    }
    (folder / "inventory/index.json").write_text(json.dumps([language]))
    torch.manual_seed(7)
    state = AllosaurusTorchModel(argparse.Namespace(**AM)).state_dict()
    # Greater weights than those of a new network, so that frames differ visibly.
    released = {f"module.{name}": 3 * tensor for name, tensor in state.items()}
    released["allophone_layer_dict.eng.weight"] = torch.zeros(4, 7)
    torch.save(released, folder / "model.pt")
    return tmp_path / "my models"


def build(models: Path, **options: object) -> Extractor:
    values = {"models": models, "model": "tiny", **options}
    return allosaurus.build(Options(**values), Resources(RuntimeOptions(device="cpu")))


def noise(seed: int, samples: int) -> np.ndarray:
    """Noise of sixteen bits whose loudness changes."""
    generator = np.random.default_rng(seed)
    swell = 0.2 + np.abs(np.sin(np.arange(samples) / 3000))
    values = np.rint(generator.normal(size=samples) * 3000 * swell).clip(-(2**15), 2**15 - 1)
    return (values / 2**15).astype(np.float32)


@pytest.mark.parametrize("rate", [8000, 16000])
def test_the_package_itself_is_the_judge(models, tmp_path, rate):
    from allosaurus.am.factory import read_am
    from allosaurus.audio import read_audio
    from allosaurus.lm.factory import read_lm
    from allosaurus.pm.factory import read_pm

    waveform = noise(1, 2 * rate)
    file = tmp_path / "noise.wav"
    soundfile.write(file, waveform, rate, subtype="PCM_16")
    # What the package's read_recognizer puts together, which first fetches a model of its own.
    config = argparse.Namespace(
        model="tiny", device_id=-1, lang="ipa", approximate=False, prior=None
    )
    folder = models / "tiny"
    cepstra = read_pm(folder, config).compute(read_audio(file))
    network = read_am(folder, config)
    logits = network(torch.from_numpy(cepstra)[None], torch.tensor([len(cepstra)]))[0].detach()

    extractor = build(models, sampling_rate=rate)
    given = extractor.extract([Speech("u", waveform)])[0]
    np.testing.assert_allclose(given, logits.softmax(-1).numpy(), atol=1e-5)
    assert given.shape == (66, 7)
    assert extractor.frame_rate == pytest.approx(100 / 3)
    assert given.std(axis=0).min() > 1e-3

    masked = read_lm(folder, config).inventory.get_mask("eng").mask_logits(logits.numpy().copy())
    probabilities = torch.from_numpy(masked).softmax(-1).numpy()
    english = build(models, sampling_rate=rate, language="eng").extract([Speech("u", waveform)])[0]
    np.testing.assert_allclose(english, probabilities[:, [0, 2, 5, 6]], atol=1e-5)


def test_a_batch_gives_what_single_utterances_give(models):
    extractor = build(models)
    waveforms = [noise(2, 9000), noise(3, 100), noise(4, 48000), noise(5, 700), noise(6, 1)]
    batch = [Speech(str(index), waveform) for index, waveform in enumerate(waveforms)]
    together = extractor.extract(batch)
    for speech, given in zip(batch, together, strict=True):
        alone = extractor.extract([speech])[0]
        assert given.shape == alone.shape
        np.testing.assert_allclose(given, alone, atol=1e-4)
        np.testing.assert_allclose(given.sum(axis=1), 1, atol=1e-5)


def test_short_audio_is_padded_with_zeros_to_one_stacked_window(models):
    extractor = build(models)
    short = noise(3, 100)
    longer = np.pad(short, (0, 720 - 100))
    given, expected = (extractor.extract([Speech("u", wave)])[0] for wave in (short, longer))
    assert given.shape == (1, 7)
    np.testing.assert_array_equal(given, expected)


def test_silence_is_finite(models):
    given = build(models).extract([Speech("u", np.zeros(16000, np.float32))])[0]
    assert np.isfinite(given).all()


def test_a_model_that_does_not_fit_is_one_sentence(models):
    folder = models / "tiny"
    with pytest.raises(EmonasError, match="has no inventory of the language xyz; see python -m"):
        build(models, language="xyz")
    (folder / "am_config.json").write_text(json.dumps({**AM, "hidden_size": 13}))
    sentence = r"tiny: this is no model that allosaurus runs \(.*model\.pt does not fit am_config"
    with pytest.raises(EmonasError, match=sentence):
        build(models)
    (folder / "am_config.json").write_text(json.dumps(AM))
    (folder / "pm_config.json").write_text(json.dumps({**PM, "backend": "torch"}))
    with pytest.raises(EmonasError, match=r"only numpy backend .*fetch it again: python -m"):
        build(models)
    (folder / "pm_config.json").unlink()
    with pytest.raises(EmonasError, match=r"No such file.*fetch it again"):
        build(models)


def test_nothing_is_unpickled(models, tmp_path):
    torch.save({"blstm_layer.weight_ih_l0": Path("x")}, models / "tiny/model.pt")
    with pytest.raises(EmonasError, match=r"model\.pt"):
        build(models)


def test_a_model_that_is_not_there_says_how_to_get_it(models):
    options = Options(models=models, model="other")
    assert options.missing == (
        "allosaurus's model other is not there; python -m allosaurus.bin.download_model -m other"
    )
    with pytest.raises(EmonasError, match="model other is not there"):
        allosaurus.build(options, Resources(RuntimeOptions()))


def test_the_rule_depends_on_the_models_files(models):
    options = Options(models=models, model="tiny")
    assert [path.name for path in options.files("emodb")] == [
        "model.pt",
        "am_config.json",
        "pm_config.json",
    ]
    english = Options(models=models, model="tiny", language="eng")
    assert all(path.exists() for path in english.files("emodb"))


def test_without_the_package_the_extra_is_named(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    options = Options()
    assert options.missing == (
        "the package allosaurus is not installed; pip install 'emonas[allosaurus]'"
    )
    assert options.files("emodb") == []
