"""The exports, held against what an engine needs to import, deploy and start them; and the check, against broken ones."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from xml.etree.ElementTree import Element, SubElement, fromstring, tostring

import pytest

from bridge.mirth.channels import CHANNELS, channel_xml
from bridge.mirth.check import check, classes
from bridge.mirth.files import LIBRARY, files
from bridge.mirth.library import functions, missing
from bridge.mirth.site import Site, Unfit
from bridge.tables import builtin

SITES = {
    "as-shipped": Site(),
    "with-everything": Site(
        url="https://bridge.example:8443/",
        version="4.5.2",
        key_name="bridgeKey",
        fhir_server="https://fhir.example/ImagingStudy",
        hl7_receiver="ris.example:2575",
        fhir_release="R5",
    ),
}
MADE = {
    f"{site}, {name}": (settings, text)
    for site, settings in SITES.items()
    for name, text in files(settings, builtin.load()).items()
}
EXPORTS = {label: text for label, (_, text) in MADE.items() if LIBRARY not in label}
CHANNEL, PLAN, HTTP, ACK = (channel_xml(channel, Site()) for channel in CHANNELS)
FILES = files(Site(), builtin.load())


@pytest.mark.parametrize(("site", "text"), MADE.values(), ids=list(MADE))
def test_what_ships_would_start(site: Site, text: str) -> None:
    assert check(text, site.version) == []


@pytest.mark.parametrize("text", FILES.values(), ids=list(FILES))
def test_a_file_is_plain_ascii_without_a_mark_of_byte_order(text: str) -> None:
    assert text.isascii()
    assert text.startswith("<c")
    assert "\r" not in text
    assert "@{" not in text


# -- each thing that an engine needs, taken away or spoiled ------------------------------------------------------------


def _spoiled(text: str, change: Callable[[Element], object]) -> list[str]:
    root = fromstring(text)
    change(root)
    return [f"{fault.path}: {fault.message}" for fault in check(tostring(root, encoding="unicode"))]


def _find(root: Element, path: str) -> Element:
    found = root.find(path)
    assert found is not None, path
    return found


def _remove(path: str) -> Callable[[Element], object]:
    above, _, name = path.rpartition("/")

    def change(root: Element) -> None:
        parent = _find(root, above) if above else root
        parent.remove(_find(parent, name))

    return change


def _set(path: str, text: str) -> Callable[[Element], object]:
    return lambda root: setattr(_find(root, path), "text", text)


def _attribute(path: str, name: str, value: str) -> Callable[[Element], object]:
    return lambda root: _find(root, path).set(name, value)


def _add(path: str, name: str) -> Callable[[Element], object]:
    return lambda root: SubElement(_find(root, path) if path else root, name)


D = "destinationConnectors/connector"
NEEDED = [
    "sourceConnector/transformer",
    "sourceConnector/transformer/inboundProperties",
    "sourceConnector/transformer/outboundProperties",
    "sourceConnector/filter",
    "sourceConnector/metaDataId",
    "sourceConnector/enabled",
    "sourceConnector/properties/sourceConnectorProperties",
    "sourceConnector/properties/sourceConnectorProperties/resourceIds",
    f"{D}/transformer",
    f"{D}/transformer/inboundProperties",
    f"{D}/transformer/outboundProperties",
    f"{D}/filter",
    f"{D}/responseTransformer",
    f"{D}/responseTransformer/inboundProperties",
    f"{D}/metaDataId",
    f"{D}/enabled",
    f"{D}/properties/destinationConnectorProperties",
    f"{D}/properties/destinationConnectorProperties/resourceIds",
    f"{D}/properties/headers",
    "properties",
    "properties/resourceIds",
    "properties/resourceIds/entry",
    "nextMetaDataId",
]


@pytest.mark.parametrize("path", NEEDED)
def test_what_an_engine_needs_is_missed(path: str) -> None:
    assert _spoiled(CHANNEL, _remove(path))


@pytest.mark.parametrize(
    "path",
    ["exportData", "preprocessingScript", f"{D}/waitForPrevious", f"{D}/mode", f"{D}/properties/charset", f"{D}/properties/pluginProperties"],
)  # fmt: skip
def test_what_an_engine_can_do_without_is_not_missed(path: str) -> None:
    assert _spoiled(CHANNEL, _remove(path)) == []


VERSIONED = [path for path in fromstring(CHANNEL).iter() if path.get("version")]


def test_a_version_is_on_every_element_that_has_one() -> None:
    for number in range(len(VERSIONED)):
        root = fromstring(CHANNEL)
        element = [found for found in root.iter() if found.get("version")][number]
        del element.attrib["version"]
        assert check(tostring(root, encoding="unicode")), element.tag
    assert len(VERSIONED) > 20


SPOILED = [
    pytest.param(CHANNEL, _attribute(".", "version", "3.0.0"), "version must be", id="an-old-version"),
    pytest.param(CHANNEL, _attribute(f"{D}/filter", "version", "4.6.0"), "version must be", id="a-newer-version-somewhere"),
    pytest.param(CHANNEL, _add("properties", "encryptAttachments"), "no field of its class in 3.12", id="a-field-of-4.5"),
    pytest.param(CHANNEL, _add("exportData/metadata", "userId"), "no field of its class in 3.12", id="a-user"),
    pytest.param(CHANNEL, _add(f"{D}/properties", "overrideLocalBinding"), "no field of its class", id="a-field-of-the-fork"),
    pytest.param(CHANNEL, _add("", "colour"), "no field of its class", id="an-unknown-element"),
    pytest.param(CHANNEL, _attribute(f"{D}/properties", "class", "com.mirth.connect.connectors.http.HttpSenderProperties"), "3.12 is known to have", id="a-class-of-2.x"),
    pytest.param(CHANNEL, _attribute(f"{D}/properties", "class", ""), "no attribute class", id="no-class"),
    pytest.param(CHANNEL, _attribute(f"{D}/transformer/inboundProperties", "class", "com.mirth.connect.connectors.http.HttpDispatcherProperties"), "does not belong here", id="a-class-elsewhere"),
    pytest.param(CHANNEL, _set(f"{D}/enabled", "yes"), "true, false", id="a-boolean"),
    pytest.param(CHANNEL, _set(f"{D}/metaDataId", "one"), "must be a number", id="a-number"),
    pytest.param(CHANNEL, _set("name", "RT Plan Relationship (300A,0055) to FHIR"), "letters, digits", id="a-tag-in-the-name"),
    pytest.param(CHANNEL, _set("name", "x" * 41), "longer than 40", id="a-long-name"),
    pytest.param(CHANNEL, _set("id", "1"), "no UUID", id="no-uuid"),
    pytest.param(CHANNEL, _set("nextMetaDataId", "1"), "above every metaDataId", id="next-id-collides"),
    pytest.param(PLAN, _set(f"{D}/metaDataId", "2"), "different in all", id="two-alike"),
    pytest.param(CHANNEL, _set(f"{D}/transformer/inboundDataType", "XML"), "not those of the data type", id="other-properties"),
    pytest.param(CHANNEL, _set("sourceConnector/transformer/outboundDataType", "RAW"), "inbound data type", id="types-do-not-meet"),
    pytest.param(CHANNEL, _set(f"{D}/transportName", "TCP Sender"), "not the transport", id="another-transport"),
    pytest.param(CHANNEL, _remove(f"{D}/properties/headers"), "is missing", id="no-headers"),
    pytest.param(CHANNEL, _set(f"{D}/properties/host", ""), "is empty", id="no-url"),
    pytest.param(CHANNEL, _add("properties/resourceIds", "entry"), "entries of two", id="half-an-entry"),
    pytest.param(FILES[LIBRARY], _remove("codeTemplates/codeTemplate/contextSet"), "is missing", id="template-without-context"),
    pytest.param(FILES[LIBRARY], _set("codeTemplates/codeTemplate/id", "x"), "UUID", id="template-without-id"),
    pytest.param(FILES[LIBRARY], _set("codeTemplates/codeTemplate/name", "other"), "function of its name", id="template-with-another-name"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "change", "fault"), SPOILED)
def test_a_broken_export_is_found(text: str, change: Callable[[Element], object], fault: str) -> None:
    assert any(fault in found for found in _spoiled(text, change))


@pytest.mark.parametrize("text", ["", "<channel", "<html/>"])
def test_what_is_no_export_is_said(text: str) -> None:
    assert check(text)


def test_every_class_that_is_named_is_known() -> None:
    named = {name for text in FILES.values() for name in re.findall(r'class="(com\.[\w.]+)"', text)}
    named |= {name for text in FILES.values() for name in re.findall(r"<(com\.[\w.]+)", text)}
    assert named <= set(classes())


# -- what the channels are set to --------------------------------------------------------------------------------------


def _connectors(text: str) -> list[Element]:
    return fromstring(text).findall(D)


@pytest.mark.parametrize("text", EXPORTS.values(), ids=list(EXPORTS))
def test_the_queue_is_on_and_keeps_its_order(text: str) -> None:
    for connector in _connectors(text):
        queue = _find(connector, "properties/destinationConnectorProperties")
        found = {
            name: queue.findtext(name) for name in ("queueEnabled", "sendFirst", "rotate", "threadCount", "retryCount")
        }
        assert found == {
            "queueEnabled": "true",
            "sendFirst": "true",
            "rotate": "false",
            "threadCount": "1",
            "retryCount": "0",
        }


@pytest.mark.parametrize("text", EXPORTS.values(), ids=list(EXPORTS))
def test_a_step_has_raw_data_types(text: str) -> None:
    for connector in _connectors(text):
        response = _find(connector, "responseTransformer")
        if response.find("elements/*") is not None:
            assert {response.findtext(f"{side}DataType") for side in ("inbound", "outbound")} == {"RAW"}


@pytest.mark.parametrize("text", EXPORTS.values(), ids=list(EXPORTS))
def test_nothing_touches_a_message_on_its_way(text: str) -> None:
    root = fromstring(text)
    for connector in [_find(root, "sourceConnector"), *root.findall(D)]:
        assert connector.find("filter/elements/*") is None
        assert connector.find("transformer/elements/*") is None
        types = {connector.findtext(f"transformer/{side}DataType") for side in ("inbound", "outbound")}
        assert len(types) == 1, "the engine would convert"


def test_a_plan_goes_out_as_bytes_of_what_came_in() -> None:
    for connector in _connectors(PLAN):
        assert connector.findtext("properties/dataTypeBinary") == "true"
        assert connector.findtext("properties/content") == "${message.encodedData}"
        assert connector.findtext("properties/contentType") == "application/dicom"


def test_the_destinations_of_a_plan_do_not_wait_for_each_other() -> None:
    assert [connector.findtext("waitForPrevious") for connector in _connectors(PLAN)] == ["true", "false"]


def test_a_sender_is_answered_after_the_destinations() -> None:
    answers = [fromstring(text).findtext(".//responseVariable") for text in (CHANNEL, PLAN, HTTP, ACK)]
    assert answers == [*["Auto-generate (Destinations completed)"] * 2, "d1", "Auto-generate (Destinations completed)"]


def test_ack_mode_is_validated_without_a_script() -> None:
    (connector,) = _connectors(ACK)
    assert connector.findtext("properties/host", "").endswith("?to=fhir&answer=ack")
    assert connector.findtext("properties/destinationConnectorProperties/validateResponse") == "true"
    assert connector.findtext("responseTransformer/inboundDataType") == "HL7V2"
    assert connector.find("responseTransformer/elements/*") is None


def test_every_port_is_used_once() -> None:
    ports = [fromstring(text).findtext(".//listenerConnectorProperties/port") for text in (CHANNEL, PLAN, HTTP, ACK)]
    assert ports == ["6671", "11112", "8090", "6672"]


def test_no_url_has_what_velocity_would_replace() -> None:
    for text in EXPORTS.values():
        for connector in _connectors(text):
            assert "$" not in connector.findtext("properties/host", "")


def test_ids_stay_the_same_and_differ() -> None:
    ids = [fromstring(text).findtext("id") for text in FILES.values()]
    assert len(set(ids)) == len(ids)
    assert files(Site(), builtin.load()) == FILES
    enabled = [element.text for element in fromstring(FILES[LIBRARY]).findall("enabledChannelIds/string")]
    assert enabled == ids[: len(CHANNELS)]


def test_a_translation_is_handed_to_the_channel_that_delivers() -> None:
    made = files(SITES["with-everything"], builtin.load())
    for source, target in (("hl7v2-to-fhir", "deliver-fhir"), ("fhir-to-hl7v2", "deliver-hl7v2")):
        assert f"routeMessageByChannelId('{fromstring(made[target + '.xml']).findtext('id')}'" in made[source + ".xml"]
    assert "routeMessageByChannelId('ID OF THE NEXT CHANNEL'" in FILES["hl7v2-to-fhir.xml"]


def test_the_tags_of_the_code_come_from_the_table() -> None:
    tables = builtin.load()
    group = tables.by_id["referenced-rt-plan"]
    moved = replace(tables, by_id={**tables.by_id, group.id: replace(group, tag="30020002", name="Moved Sequence")})
    code = functions(Site(), moved)["planRelationships"]
    assert "msg['tag30020002']['item'][n]['tag300A0055']" in code
    assert "Moved Sequence (3002,0002)" in code
    assert "300C0002" not in code


def test_a_function_for_a_group_that_no_table_has_is_left_out_and_named() -> None:
    tables = replace(builtin.load(), by_id={})
    assert "planRelationships" not in functions(Site(), tables)
    assert missing(tables) == {"planRelationships": "referenced-rt-plan"}


def test_the_key_is_in_no_file() -> None:
    made = files(SITES["with-everything"], builtin.load())
    assert "<string>${bridgeKey}</string>" in made["hl7v2-to-fhir.xml"]
    assert "configurationMap.get('bridgeKey')" in made[LIBRARY]


@pytest.mark.parametrize(
    "settings",
    [
        {"url": "bridge"},
        {"url": "ftp://bridge"},
        {"url": "http://bridge/$path"},
        {"url": "http://user:pass@bridge"},
        {"url": "http://bridge?x=1"},
        {"url": "http://bridge:99999999"},
        {"url": "http://bridge/a b"},
        {"version": "3.11.0"},
        {"version": "4.5"},
        {"ae_title": "A" * 17},
        {"ae_title": "A\\B"},
        {"path": "fhir"},
        {"key_name": "a b"},
        {"charset": "UTF 8"},
        {"hl7_receiver": "host"},
        {"hl7_receiver": "host:0"},
        {"fhir_server": "host"},
        {"mllp_port": 6672},
        {"listen": "a b"},
        {"fhir_release": "R6"},
    ],
    ids=str,
)
def test_a_setting_that_no_channel_can_be_made_with_is_refused(settings: dict[str, object]) -> None:
    with pytest.raises(Unfit):
        Site(**settings)  # type: ignore[arg-type]
