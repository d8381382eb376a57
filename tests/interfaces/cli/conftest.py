"""A runner for the commands, and plans with known values in them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from bridge.cli.demo import sample
from bridge.cli.main import main

CANARY = "CANARY"  # in every value of the plan that could be patient data


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Run a command as the shell would; standard error is kept apart."""
    for name in ("FORCE_COLOR", "NO_COLOR", "BRIDGE_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    try:
        runner = CliRunner()
        runner.mix_stderr = False  # click before 8.2
    except TypeError:  # pragma: no cover
        runner = CliRunner()
    return lambda *args, **more: runner.invoke(main, [str(arg) for arg in args], prog_name="bridge", **more)


@pytest.fixture(scope="session")
def rtplan() -> Path:
    """Pydicom's sample: it has one PREDECESSOR."""
    return sample()


@pytest.fixture(scope="session")
def edited(tmp_path_factory: pytest.TempPathFactory, rtplan: Path) -> Callable[..., Path]:
    """Return a function that writes the sample with other values: an attribute, or one of the first item."""
    from pydicom import dcmread

    folder = tmp_path_factory.mktemp("plans")

    def make(name: str, **values: Any) -> Path:
        data_set = dcmread(rtplan)
        data_set.PatientName = f"{CANARY}^NAME"
        data_set.PatientID = f"{CANARY}-ID"
        data_set.RTPlanLabel = f"{CANARY} LABEL"
        item = data_set.ReferencedRTPlanSequence[0]
        for keyword, value in values.items():
            target = item if keyword in ("RTPlanRelationship", "ReferencedSOPInstanceUID") else data_set
            setattr(target, keyword, value)
        path = folder / f"{name}.dcm"
        data_set.save_as(path)
        return path

    return make


@pytest.fixture(scope="session")
def plan(edited: Callable[..., Path]) -> Path:
    """A plan without an error, full of canaries."""
    return edited("plan")


@pytest.fixture(scope="session")
def unknown(edited: Callable[..., Path]) -> Path:
    """A plan with a term that no table has: a warning, in strict mode an error."""
    return edited("unknown", RTPlanRelationship=f"{CANARY}_TERM")


@pytest.fixture(scope="session")
def illegal(edited: Callable[..., Path]) -> Path:
    """A plan with a term that CS cannot hold: an error."""
    from pydicom import config

    before, config.settings.writing_validation_mode = config.settings.writing_validation_mode, config.IGNORE
    reading, config.settings.reading_validation_mode = config.settings.reading_validation_mode, config.IGNORE
    try:
        return edited("illegal", RTPlanRelationship=f"{CANARY}|TERM")
    finally:
        config.settings.writing_validation_mode, config.settings.reading_validation_mode = before, reading
