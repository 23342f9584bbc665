"""`for` in the systems."""

import pytest

from emonas.errors import EmonasError
from emonas.settings.expansion import expand_systems


def test_a_list_gives_a_system_for_every_set_of_values():
    found = expand_systems(
        {
            "cnn-c{c}l{l}": {
                "search": {"channels": "{c}", "cells": "{l}"},
                "for": [{"c": 4, "l": 3}, {"c": 8, "l": 4}],
            }
        }
    )
    assert found == {
        "cnn-c4l3": {"search": {"channels": 4, "cells": 3}},
        "cnn-c8l4": {"search": {"channels": 8, "cells": 4}},
    }


def test_a_mapping_gives_the_product_the_last_name_going_fastest():
    found = expand_systems({"{a}-{b}": {"x": "{a}", "for": {"a": [1, 2], "b": ["u", "v"]}}})
    assert list(found) == ["1-u", "1-v", "2-u", "2-v"]
    assert [entry["x"] for entry in found.values()] == [1, 1, 2, 2]


@pytest.mark.parametrize("value", [3, 0.5, True, None, ["one", "two"], {"epochs": 3}, "text"])
def test_a_text_that_is_one_name_takes_the_value_with_its_type(value):
    (entry,) = expand_systems({"only": {"deep": [{"x": "{v}"}], "for": [{"v": value}]}}).values()
    assert entry == {"deep": [{"x": value}]}
    assert type(entry["deep"][0]["x"]) is type(value)


def test_names_are_filled_in_within_a_text_and_in_lists():
    (entry,) = expand_systems(
        {"s{b}": {"inputs": [{"layers": ["layer{b}", "{b}"]}], "for": {"b": [7]}}}
    ).values()
    assert entry == {"inputs": [{"layers": ["layer7", 7]}]}


def test_a_filling_is_not_filled_in_again():
    assert expand_systems({"s": {"x": "{a}/{b}", "for": [{"a": "1", "b": "2"}]}}) == {
        "s": {"x": "1/2"}
    }


def test_systems_without_for_are_left_alone():
    systems = {"linear": {"network": "linear", "note": "{kept}"}, "odd": 3}
    assert expand_systems(systems) == systems


@pytest.mark.parametrize(
    ("systems", "sentence"),
    [
        (
            {"s{a}": {"x": "{c}", "for": {"a": [1]}}},
            "systems.s{a}: {c} names what `for` does not define; it defines a",
        ),
        (
            {"s": {"for": {"a": [1, 2]}}},
            "systems.s: two systems are named s; use every name of `for` in it",
        ),
        (
            {"s1": {}, "s{a}": {"for": {"a": [1]}}},
            "systems.s{a}: two systems are named s1; use every name of `for` in it",
        ),
        (
            {"s{a}": {"for": 3}},
            "systems.s{a}.for: give a list of values by name, [{c: 4, l: 3}], or lists by name, "
            "{b: [2, 4]}",
        ),
        ({"s{a}": {"for": {"a": 3}}}, "systems.s{a}.for: give a list of values by name"),
        ({"s{a}": {"for": []}}, "systems.s{a}.for: is empty; give it a value"),
        ({"s{a}": {"for": {"a": []}}}, "systems.s{a}.for: is empty; give it a value"),
    ],
)
def test_what_is_wrong_is_named(systems, sentence):
    with pytest.raises(EmonasError) as error:
        expand_systems(systems)
    assert str(error.value).startswith(sentence)
