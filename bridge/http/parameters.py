"""What a request asks for, read from its query, ``Content-Type`` and ``Accept`` once and remembered.

Channels send the same three texts with every message, so reading them is a look-up after the first time.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

from bridge.http import media
from bridge.http.media import Form, Media
from bridge.http.problems import refused
from bridge.record import Format
from bridge.tables.rows import Tables

_ON = {"": True, "1": True, "true": True, "0": False, "false": False}
_NAME = re.compile(r"[a-z][a-z_-]{0,19}")
#: What a body may be called that is an envelope.
ENVELOPES = ("json", "text", "any")
FORMATS = tuple(str(format_) for format_ in Format)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a query.

    Attributes:
        name: As the query spells it; a hyphen may be an underscore.
        argument: The argument of ``Bridge.translate`` that it becomes, or empty.
        choices: Its values; empty: any text.
        is_flag: Whether it is on or off.
        about: One sentence for the description of the interface.
        routes: Where it is known.
    """

    name: str
    argument: str
    choices: tuple[str, ...] = ()
    is_flag: bool = False
    about: str = ""
    routes: tuple[str, ...] = ("translate", "batch")


_BOTH = ("translate", "batch", "check")
PARAMETERS = {
    parameter.name: parameter
    for parameter in (
        Parameter("to", "", FORMATS, about="Format of the output; without it, Accept names one."),
        Parameter(
            "from",
            "",
            ("auto", *FORMATS),
            about="Format of the body, where Content-Type does not say it.",
            routes=_BOTH,
        ),
        Parameter(
            "answer", "", ("document", "ack"), about="ack: answer 200 with an HL7 v2 acknowledgement (AA, AE, AR)."
        ),
        Parameter(
            "unmapped",
            "unmapped",
            ("report", "carry", "reject"),
            about="What becomes of attributes without a row.",
            routes=_BOTH,
        ),
        Parameter(
            "lenient",
            "lenient",
            is_flag=True,
            about="Write known terms in their standard spelling, and say so.",
            routes=_BOTH,
        ),
        Parameter("strict", "strict", is_flag=True, about="Treat what the standard forbids as an error.", routes=_BOTH),
        Parameter("keep-going", "keep_going", is_flag=True, about="Give what could be done even if there are errors."),
        Parameter("fhir-release", "fhir_release", ("R4", "R4B", "R5"), about="Release of a new FHIR document."),
        Parameter("as", "resource", ("imaging-study", "service-request", "bundle"), about="Host of new FHIR."),
        Parameter("bundle-type", "bundle_type", ("collection", "transaction"), about="Type of a new Bundle."),
        Parameter("hl7-version", "hl7_version", about="MSH-12 of a new message, 2.3 to 2.8.2."),
        Parameter("profile", "profile", ("containment", "rad28"), about="How a new message names observations."),
        Parameter("message-time", "message_time", about="MSH-7 of a new message."),
        Parameter(
            "fallback-charset", "fallback_charset", about="Codec of HL7 v2 text that declares none.", routes=_BOTH
        ),
        Parameter(
            "uid-policy",
            "uid_policy",
            ("new-if-changed", "keep", "new"),
            about="SOP Instance UID of an edited data set.",
        ),
    )
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request asks for.

    Attributes:
        route: ``translate``, ``check`` or ``batch``.
        form: Target and form of the answer; without a target where an envelope may name it.
        to: The target as the query names it, or empty.
        source: Format of the body as the query names it, or ``auto``.
        body: What ``Content-Type`` says: a value of ``media.BODIES``.
        content: The whole ``Content-Type``.
        accept: The whole ``Accept``.
        wants_ack: Whether an acknowledgement is asked for, by ``answer=ack`` or by ``Accept``.
        says_ack: Whether ``answer=ack`` says so.
        wants_fhir: Whether faults are rendered as OperationOutcomes.
        options: Arguments of ``Bridge.translate``.
    """

    route: str
    form: Form
    to: str
    source: str
    body: str
    content: Media
    accept: str
    wants_ack: bool
    says_ack: bool
    wants_fhir: bool
    options: dict[str, Any]


def query_of(query: bytes, route: str) -> dict[str, str]:
    """Return the parameters of a query, names as :data:`PARAMETERS` spells them.

    Raises:
        Refused: ``http.parameter`` with the parameter's name, never its value.
    """
    try:
        pairs = parse_qsl(query.decode("ascii"), keep_blank_values=True, max_num_fields=50, errors="strict")
    except ValueError:
        raise refused("http.parameter", "the query is not a list of parameters", "query") from None
    out: dict[str, str] = {}
    for given, value in pairs:
        name = given.replace("_", "-")
        parameter = PARAMETERS.get(name)
        if parameter is None or route not in parameter.routes:
            raise refused("http.parameter", f"there is no such parameter here; known are {_known(route)}", _safe(given))
        if name in out:
            raise refused("http.parameter", "the parameter is there twice", name)
        if parameter.choices and value not in parameter.choices:
            raise refused("http.parameter", f"the value must be one of {', '.join(parameter.choices)}", name)
        if parameter.is_flag and value.lower() not in _ON:
            raise refused("http.parameter", "the value must be true or false", name)
        out[name] = value
    if _is_on(out.get("lenient")) and _is_on(out.get("strict")):
        raise refused("http.parameter", "lenient and strict exclude each other", "strict")
    return out


def _known(route: str) -> str:
    return ", ".join(name for name, parameter in PARAMETERS.items() if route in parameter.routes)


def _safe(name: str) -> str:
    """Return a name that a caller made up, if it looks like that of a parameter and not of a person."""
    return name if _NAME.fullmatch(name) else "query"


def _is_on(value: str | None) -> bool:
    return value is not None and _ON[value.lower()]


def options_of(query: dict[str, str]) -> dict[str, Any]:
    """Return the arguments of ``Bridge.translate`` that a query gives."""
    options: dict[str, Any] = {}
    for name, value in query.items():
        parameter = PARAMETERS[name]
        if parameter.argument:
            options[parameter.argument] = _is_on(value) if parameter.is_flag else value
    codec = options.get("fallback_charset", "")
    if codec:
        options["fallback_charset"] = text_codec(codec, "fallback-charset")
    return options


def prove(options: dict[str, Any], tables: Tables) -> None:
    """Refuse options whose values the tables decide; raises http.parameter."""
    version, known = options.get("hl7_version"), tables.hl7v2["versions"]
    assert isinstance(known, (list, tuple))
    if version is not None and version not in known:
        raise refused("http.parameter", f"the version must be one of {', '.join(known)}", "hl7-version")


def text_codec(name: str, place: str) -> str:
    """Return the Python codec of a character set; raise http.parameter for what is none of text."""
    try:
        found = codecs.lookup(name)
    except (LookupError, ValueError):
        found = None
    if found is None or not getattr(found, "_is_text_encoding", True):
        raise refused("http.parameter", "the character set is not known", place)
    return found.name


@lru_cache(512)
def asked(route: str, query: bytes, content_type: str, accept: str) -> Asked:
    """Return what the request asks for; remembered for the texts that channels repeat.

    Args:
        route: ``translate``, ``check`` or ``batch``.
        query: The raw query.
        content_type: The header, or empty.
        accept: The header, or empty.

    Raises:
        Refused: ``http.parameter``, ``http.media-type`` or ``http.not-acceptable``.
    """
    known = query_of(query, route)
    content = media.media_of(content_type)
    body = _body(content, known.get("from", "auto"))  # first: a form has lost the document, and nothing else matters
    bare = Asked(
        route=route,
        form=Form("", ""),
        to="",
        source="auto",
        body=body,
        content=content,
        accept=accept,
        wants_ack=False,
        says_ack=False,
        wants_fhir=media.wants_fhir(accept),
        options={},
    )
    return _told(bare, known)


def told(asked: Asked, said: bytes) -> Asked:
    """Return what a request asks for whose envelope says more than its query; raises what :func:`asked` does."""
    query = query_of(said, "translate")
    if asked.to and query.get("to", asked.to) != asked.to:
        raise refused("http.parameter", "the envelope and the query name different targets", "to")
    if asked.route != "translate" and "answer" in query:
        raise refused("http.parameter", "it is asked for in the query, for all documents alike", "answer")
    found = _told(asked, query)
    if asked.route != "check" and not found.form.to:
        raise refused("http.parameter", "neither the query nor the envelope names the target format", "to")
    return found


def _told(asked: Asked, query: dict[str, str]) -> Asked:
    """Return what is asked for, with what ``query`` says as well."""
    to = query.get("to", asked.to)
    form = Form(to, "")
    if asked.route == "translate":
        form = media.form_of(to, asked.accept, may_lack_target=asked.body in ENVELOPES)
    options = asked.options | options_of(query)
    if form.fhir_release:
        options.setdefault("fhir_release", form.fhir_release)
    says_ack = query.get("answer", "ack" if asked.says_ack else "") == "ack"
    wants_ack = says_ack or form.wants_ack
    if wants_ack and options.get("keep_going"):
        raise refused("http.parameter", "what has errors is not acknowledged", "keep-going")
    return replace(
        asked,
        form=form,
        to=to,
        source=query.get("from", asked.source),
        wants_ack=wants_ack,
        says_ack=says_ack,
        wants_fhir=form.to.startswith("fhir") or media.wants_fhir(asked.accept),
        options=options,
    )


def _body(content: Media, source: str) -> str:
    """Return what the body is said to hold; raise http.media-type for a type that is not read."""
    if content.type == "application/x-www-form-urlencoded":
        detail = "a form holds parameters and no document; in Mirth choose another Content Type, for example text/plain"
        raise refused("http.media-type", detail, "Content-Type")
    if content.type.startswith("multipart/"):
        detail = "send one document as the body (in Mirth turn Multipart off); several go to /v1/batch"
        raise refused("http.media-type", detail, "Content-Type")
    if not content.type and source != "auto":
        return "any"
    said = media.BODIES.get(content.type)
    if said is None:
        fault = "the type is not read" if content.type else "no type is named"
        detail = f"{fault}; send one of {', '.join(media.BODIES)}"
        raise refused("http.media-type", detail, "Content-Type")
    if said in FORMATS and source not in ("auto", said):
        raise refused(
            "http.media-type", f"Content-Type names {said}, and the parameter from another format", "Content-Type"
        )
    version = content.parameters.get("fhirversion")
    if version and version not in media.FHIR_VERSIONS:
        raise refused("http.media-type", "fhirVersion must be 4.0, 4.3 or 5.0", "Content-Type")
    if content.type.endswith(("json", "xml")) and content.charset not in ("", "utf-8", "utf8", "us-ascii"):
        raise refused("http.media-type", "JSON and XML are sent in UTF-8", "Content-Type")
    return said
