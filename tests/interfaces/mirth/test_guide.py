"""The guide says what is so: its pictures and tables are those of the channels, its scripts run, its commands work."""

from __future__ import annotations

import json
import re
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from xml.etree.ElementTree import fromstring

import pytest

from bridge.mirth.channels import CHANNELS, channel_xml
from bridge.mirth.library import functions
from bridge.mirth.site import Site
from bridge.tables import builtin
from tests.interfaces.mirth import es5, rhino

ROOT = Path(__file__).resolve().parents[3]
GUIDE = (ROOT / "docs" / "mirth.md").read_text(encoding="utf-8")
SCRIPTS = re.findall(r"^```js\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def updater() -> ModuleType:
    spec = spec_from_file_location("update_mirth", ROOT / "tools" / "update_mirth.py")
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_tables_are_those_of_the_channels(updater: ModuleType) -> None:
    assert updater.filled(GUIDE) == GUIDE, "run python tools/update_mirth.py"


def test_the_pictures_are_those_of_the_channels(updater: ModuleType) -> None:
    made = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "docs" / "mirth").iterdir()}
    assert updater.pictures() == made, "run python tools/update_mirth.py"
    for picture in made.values():
        fromstring(picture)


def test_each_channel_has_a_section_a_picture_and_a_table() -> None:
    for channel in CHANNELS:
        assert f"### {channel.name}\n" in GUIDE
        assert f"](mirth/{channel.key}.svg)" in GUIDE


def test_each_setting_that_differs_from_the_engine_s_default_is_explained(updater: ModuleType) -> None:
    explained = {
        setting.path.rpartition("/")[2] for side in ("source", "destination") for setting in updater.SETTINGS[side]
    }
    for template in (ROOT / "bridge" / "mirth" / "templates").glob("*.xml"):
        slots = re.findall(r"<(\w+)>@\{([a-z-]+)\}</", template.read_text(encoding="utf-8"))
        if template.name.startswith(("source-", "destination-http", "destination-properties", "listener")):
            assert {name for name, slot in slots if slot not in {"remote-host", "remote-port"}} <= explained, (
                template.name
            )


def test_every_function_of_the_library_is_named() -> None:
    assert [name for name in functions(Site(), builtin.load()) if f"`{name}(" not in GUIDE] == []


def test_every_port_of_the_guide_s_start_is_a_port_of_a_channel() -> None:
    text = "".join(channel_xml(channel, Site()) for channel in CHANNELS)
    start = GUIDE.partition("## Start")[2].partition("## ")[0]
    assert all(f"<port>{port}</port>" in text for port in re.findall(r"--(?:mllp|dicom)-port (\d+)", start))


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_of_the_guide_is_es5(script: str) -> None:
    assert es5.faults(script) == []


@rhino.needs_rhino
def test_the_scripts_of_the_guide_run(tmp_path: Path) -> None:
    library = "\n".join(functions(Site(url="http://127.0.0.1:1"), builtin.load()).values())
    scope = """
    var connectorMessage = { getEncodedData: function () { return 'MSH|'; }, getRawData: function () { return 'MSH|'; } };
    var logger = { info: function () {} };
    channelMap = new realPackages.java.util.HashMap();
    msg = new XML('<dicom><tag300C0002><item><tag300A0055>PRIOR</tag300A0055></item></tag300C0002></dicom>');
    var result = given.map(function (script) {
        var made = eval('(function () {\\n' + script + '\\n})')();
        return made && made.getStatus ? String(made.getStatus()) : made === undefined ? null : made;
    });
    """
    assert len(SCRIPTS) == 4
    assert rhino.run(f"{library}\n{scope}", tmp_path, SCRIPTS) == ["QUEUED", "QUEUED", True, None], json.dumps(SCRIPTS)
