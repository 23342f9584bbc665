"""Captions are templates of Snakemake's: no text of a user's is read as a part of one."""

import jinja2
import pytest

from emonas.report.captions import escape_rst


@pytest.mark.parametrize("text", ["Half {% of %} it", "{{ all }} of it", "{# none #} of it"])
def test_a_text_that_looks_like_a_template_is_shown_as_it_is(text):
    shown = jinja2.Environment(autoescape=True).from_string(escape_rst(text)).render()
    assert shown.replace("\\", "") == text
