"""What describes a setting: option, flag and check, apart from the schema that uses them."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

import pytest

from esg.errors import ConfigError
from esg.options import Option, check, flag_name, option_of, setting


def _double(value: Any) -> int:
    if not isinstance(value, int):
        raise ValueError("must be doubled")
    return value * 2


@dataclass
class Schema:
    """A schema of every kind of setting."""

    plain: int
    whole: int = setting(1, "A number.", "Numbers", minimum=0, maximum=10)
    seconds: float = setting(1.5, "A time.", "Numbers", minimum=0.5)
    word: str = setting("a", "A word.", "Words")
    maybe: str | None = setting(None, "A word or none.", "Words")
    choice: str = setting("a", "One of few.", "Words", choices=("a", "b"))
    switch: bool = setting(False, "A switch.", "Switches")
    double: int = setting(0, "Twice as much.", "Numbers", parse=_double)
    other: int = field(default=3, metadata={"unit": "m"})


FIELDS = {f.name: f for f in fields(Schema)}


def test_a_setting_carries_its_option() -> None:
    option = option_of(FIELDS["whole"])
    assert option == Option("A number.", "Numbers", minimum=0, maximum=10)
    assert Schema(0).whole == 1


@pytest.mark.parametrize("name", ["plain", "other"])
def test_other_fields_have_none_and_are_not_checked(name: str) -> None:
    assert option_of(FIELDS[name]) is None
    assert check(FIELDS[name], "anything") == "anything"


def test_flag_name() -> None:
    assert flag_name("root_path") == "--root-path"
    assert flag_name("fd") == "--fd"


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("whole", 0, 0),
        ("whole", 10, 10),
        ("seconds", 1, 1),
        ("seconds", 0.5, 0.5),
        ("word", "", ""),
        ("maybe", None, None),
        ("maybe", "x", "x"),
        ("choice", "b", "b"),
        ("switch", True, True),
        ("double", 4, 8),
    ],
)
def test_right_values_come_back_in_their_final_form(name: str, value: Any, kept: Any) -> None:
    assert check(FIELDS[name], value) == kept


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("whole", -1, "must be at least 0"),
        ("whole", 11, "must be at most 10"),
        ("whole", 1.0, "must be a whole number"),
        ("whole", False, "must be a whole number"),
        ("whole", None, "must be a whole number"),
        ("seconds", 0.4, "must be at least 0.5"),
        ("seconds", "1", "must be a number"),
        ("seconds", float("inf"), "must be a number"),
        ("word", None, "must be a string"),
        ("word", b"x", "must be a string"),
        ("maybe", 1, "must be a string"),
        ("choice", "c", "must be one of a, b"),
        ("switch", 1, "must be true or false"),
        ("double", "x", "must be doubled"),
    ],
)
def test_wrong_values_name_setting_flag_and_what_is_allowed(
    name: str, value: Any, allowed: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        check(FIELDS[name], value)
    assert str(caught.value) == f"{name} (--{name}): {allowed}, got {value!r}"
