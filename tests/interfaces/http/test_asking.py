"""What a request asks for: parameters, Content-Type, Accept."""

from __future__ import annotations

from inspect import signature
from typing import Any

import pytest

from bridge.http import media
from bridge.http.deliver import SUFFIXES
from bridge.http.parameters import PARAMETERS
from bridge.record import Format
from bridge.translator import Bridge
from tests.interfaces.http import documents
from tests.interfaces.http.caller import app_of, call

APP = app_of()


def asked(query: str, **rest: Any) -> Any:
    sent = {"body": documents.ER7, "content_type": "text/plain"} | rest
    return call(APP, query=query, **sent)


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("to=hl7v2&too=1", "too"),
        ("to=xml", "to"),
        ("to=hl7v2&to=hl7v2", "to"),
        ("to=hl7v2&strict&lenient", "strict"),
        ("to=hl7v2&strict=perhaps", "strict"),
        ("to=hl7v2&hl7-version=9", "hl7-version"),
        ("to=hl7v2&fallback-charset=no-such", "fallback-charset"),
        ("to=hl7v2&fallback-charset=rot13", "fallback-charset"),
        ("to=hl7v2&unmapped=drop", "unmapped"),
        ("to=hl7v2&JOHN%20DOE=1", "query"),
        ("to=hl7v2&" + "&".join(f"p{n}=1" for n in range(100)), "query"),
        ("to=hl7v2&answer=ack&keep-going=true", "keep-going"),
    ],
)
def test_a_wrong_parameter_is_refused_by_name_and_never_with_its_value(query: str, named: str) -> None:
    got = asked(query)
    assert (got.status, got.code, got.json["errors"][0]["path"]) == (400, "http.parameter", named)


def test_hyphens_and_underscores_mean_the_same() -> None:
    assert asked("to=hl7v2&hl7_version=2.5").body == asked("to=hl7v2&hl7-version=2.5").body


def test_every_option_of_a_translation_can_be_asked_for() -> None:
    known = {parameter.argument for parameter in PARAMETERS.values()} | {"to", "source", "into"}
    given = set(signature(Bridge.translate).parameters) - {"self", "document", "limits"}
    assert given - known == {"scan"}, "the structure of what comes over a network is always checked"


@pytest.mark.parametrize("name", [name for name, parameter in PARAMETERS.items() if parameter.choices])
def test_every_choice_is_one_that_the_bridge_takes(name: str) -> None:
    for value in PARAMETERS[name].choices:
        query = f"{name}={value}" if name in {"to", "from"} else f"to=fhir&{name}={value}"
        got = asked(query, accept="application/fhir+json" if name == "from" else "*/*")
        assert got.status == 200 or got.code not in {"http.parameter", "internal.error"}


@pytest.mark.parametrize(
    ("accept", "to", "form"),
    [
        ("", "fhir", ("fhir", "application/fhir+json", False)),
        ("*/*", "hl7v2", ("hl7v2", media.ER7, False)),
        ("application/json", "fhir", ("fhir", "application/json", False)),
        ("application/*", "fhir", ("fhir", "application/fhir+json", False)),
        ("text/html, application/fhir+json;q=0.5", "fhir", ("fhir", "application/fhir+json", False)),
        ("application/json;q=0.1, application/fhir+json", "fhir", ("fhir", "application/fhir+json", False)),
        ("application/edi-hl7", "hl7v2", ("hl7v2", media.ER7, False)),
        (media.ER7, "fhir", ("fhir", media.ER7, True)),
        (media.RESULT, "dicom", ("dicom", media.RESULT, False)),
        ("application/dicom+json", "", ("dicom-json", "application/dicom+json", False)),
        ("application/octet-stream", "dicom", ("dicom", "application/dicom", False)),
    ],
)
def test_target_and_accept_together_decide_the_form(accept: str, to: str, form: tuple[str, str, bool]) -> None:
    assert media.form_of(to, accept)[:3] == form


def test_the_fhir_release_may_stand_in_accept() -> None:
    got = asked("", accept="application/fhir+json; fhirVersion=5.0")
    assert got.headers["content-type"] == "application/fhir+json; fhirVersion=5.0; charset=utf-8"
    assert got.json["series"][0]["modality"]["coding"]


@pytest.mark.parametrize(
    ("label", "query", "status"),
    [
        ("", "to=hl7v2", 415),
        ("", "to=hl7v2&from=hl7v2", 200),
        ("application/fhir+json", "to=hl7v2&from=hl7v2", 415),
        ("application/fhir+json; fhirVersion=3.0", "to=hl7v2", 415),
        ("no media type", "to=hl7v2", 415),
        ("image/png", "to=hl7v2", 415),
        ("text/plain", "to=hl7v2&from=hl7v2", 200),
        ("application/edi-hl7", "to=hl7v2", 200),
        ('TEXT/PLAIN; Charset="utf-8"', "to=hl7v2", 200),
    ],
)
def test_content_type_names_the_format_of_the_body(label: str, query: str, status: int) -> None:
    headers = {"content_type": label} if label else {}
    assert call(APP, query=query, body=documents.ER7, **headers).status == status


def test_a_refused_content_type_gets_the_list_of_those_that_are_read() -> None:
    detail = asked("to=hl7v2", content_type="image/png").json["detail"]
    assert all(name in detail for name in media.BODIES)


def test_no_type_under_application_is_given_to_a_message() -> None:
    for accept in ("", "*/*", *media.ANSWERS["hl7v2"]):
        assert asked("to=hl7v2", accept=accept).media in {media.ER7, "text/plain"}


@pytest.mark.parametrize("to", [str(format_) for format_ in Format])
def test_every_format_is_served_delivered_and_carried_in_json(to: str) -> None:
    """A format that is read and written is asked for, answered under its type, and read back."""
    got = call(APP, query=f"to={to}", body=documents.DICOM, content_type="application/dicom")
    assert (got.status, got.media) == (200, media.ANSWERS[to][0])
    label = got.headers["content-type"]
    back = call(APP, query=f"to=hl7v2&from={to}", body=got.body, content_type=label)
    there = call(APP, query="to=hl7v2", body=documents.DICOM, content_type="application/dicom")
    assert (back.status, back.fields("OBX")) == (200, there.fields("OBX"))
    account = call(APP, query=f"to={to}", body=documents.DICOM, content_type="application/dicom", accept=media.RESULT)
    assert account.json["outputType"] == label
    assert to in SUFFIXES
