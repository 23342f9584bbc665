import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from emonas.kinds import all_kinds, kind_module, kind_name, kind_options
from emonas.options import Options

FAMILIES = ("reader", "extractor", "method", "network")
HEAVY = ("torch", "sklearn", "librosa", "transformers", "torchaudio")


def test_a_hyphen_in_the_settings_is_an_underscore_in_the_name():
    assert kind_name("network", "multi-gating") == "emonas.systems.kinds.multi_gating"


@pytest.mark.parametrize("family", FAMILIES)
def test_every_module_with_options_is_a_kind(family):
    kinds = all_kinds(family)
    folder = Path(kind_module(family, next(iter(kinds))).__file__).parent
    holding = {
        path.stem.replace("_", "-")
        for path in folder.glob("*.py")
        if "class Options(" in path.read_text(encoding="utf-8")
    }
    assert set(kinds) == holding
    for name, module in kinds.items():
        assert issubclass(module.Options, Options)
        assert module.Options.model_fields[family].default == name


@pytest.mark.parametrize("family", FAMILIES)
def test_every_option_has_a_description(family):
    for name, module in all_kinds(family).items():
        for field, facts in module.Options.model_fields.items():
            assert facts.description, f"{family} {name}: {field}"


def test_options_import_nothing_heavy():
    program = (
        "import sys; from emonas.kinds import all_kinds\n"
        f"for family in {FAMILIES}: all_kinds(family)\n"
        f"print([name for name in {HEAVY} if name in sys.modules])\n"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_options_are_checked_by_the_kind_that_they_name():
    options = kind_options("network", {"network": "recurrent", "inputs": ["a"], "hidden": 7})
    assert (type(options), options.hidden) == (kind_module("network", "recurrent").Options, 7)
    with pytest.raises(ValidationError, match="hiden"):
        kind_options("network", {"network": "recurrent", "inputs": ["a"], "hiden": 7})
    with pytest.raises(ValidationError, match="frozen"):
        options.hidden = 8
