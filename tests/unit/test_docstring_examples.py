"""The examples in docstrings run and give what they say."""

import doctest
import importlib
import pkgutil

import pytest

ROOMS = ("visrec.models", "visrec.training")
MODULES = ["visrec.attacks"] + [
    module.name
    for room in ROOMS
    for module in pkgutil.walk_packages(importlib.import_module(room).__path__, f"{room}.")
]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_run(name: str) -> None:
    found = doctest.testmod(importlib.import_module(name))
    assert found.failed == 0
