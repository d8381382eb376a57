"""The channels: what each listens to, what it asks of the bridge, and how its parts are put together."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import NamedTuple
from uuid import NAMESPACE_URL, uuid5

from bridge.mirth.fill import fill, finished, literal
from bridge.mirth.site import Site

BASE = "https://w3id.org/dicom-bridge/mirth/"
MADE = "1767225600000"  # lastModified: the same files every time
_ER7, _DICOM, _FHIR = "x-application/hl7-v2+er7", "application/dicom", "application/fhir+json"
COMPLETED, FIRST, NONE = "Auto-generate (Destinations completed)", "d1", "None"


class Source(NamedTuple):
    """Where messages come from.

    Attributes:
        template: ``source-TEMPLATE.xml``.
        transport: Name of the connector, as the engine spells it.
        type: Data type.
        answer: From what the sender is answered ("Response" in the Administrator).
        port: The field of the site that has the port; empty for a source without one.
    """

    template: str
    transport: str
    type: str
    answer: str
    port: str = ""


class Call(NamedTuple):
    """A destination that asks the bridge.

    Attributes:
        name: Of the destination.
        to: The target format.
        content_type: What the body is.
        is_binary: Whether the body goes out as bytes.
        is_acknowledged: Whether the bridge answers with an acknowledgement that the engine validates, without a script.
    """

    name: str
    to: str
    content_type: str
    is_binary: bool = False
    is_acknowledged: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A channel of the set.

    Attributes:
        key: Name of its file, and what its id is made from.
        name: In the engine: at most 40 letters, digits, spaces, hyphens and underscores.
        about: Its description.
        calls: Its destinations; none: it delivers what other channels hand it.
    """

    key: str
    name: str
    about: str
    source: Source
    calls: tuple[Call, ...] = ()

    @property
    def id(self) -> str:
        """The channel's UUID; a channel that is made anew replaces the one that was imported before."""
        return identity(self.key)


def identity(key: str) -> str:
    """Return the UUID of what ``key`` names; it never changes."""
    return str(uuid5(NAMESPACE_URL, BASE + key))


CHANNELS = (
    Channel(
        key="hl7v2-to-fhir",
        name="Bridge HL7v2 to FHIR",
        about="Takes HL7 v2 over MLLP and has it translated to FHIR. The sender gets AA when the message is translated "
        "or safe in the queue, AE when the bridge refuses it.",
        source=Source("mllp", "TCP Listener", "HL7V2", COMPLETED, "mllp_port"),
        calls=(Call("Bridge to FHIR", "fhir", _ER7),),
    ),
    Channel(
        key="rt-plan-to-fhir-and-hl7v2",
        name="Bridge RT Plan to FHIR and HL7v2",
        about="Takes RT Plans over DICOM (C-STORE) and has each translated to FHIR and to an ORU. No filter and no "
        "step touches the object: it goes out byte for byte.",
        source=Source("dicom", "DICOM Listener", "DICOM", COMPLETED, "dicom_port"),
        calls=(
            Call("Bridge to FHIR", "fhir", _DICOM, is_binary=True),
            Call("Bridge to HL7v2", "hl7v2", _DICOM, is_binary=True),
        ),
    ),
    Channel(
        key="fhir-to-hl7v2",
        name="Bridge FHIR to HL7v2",
        about="Takes FHIR JSON over HTTP and has it translated to an HL7 v2 ORU. The caller gets the message with 200, "
        "the reasons with 422, or 202 while the bridge is away and the resource waits in the queue.",
        source=Source("http", "HTTP Listener", "RAW", FIRST, "http_port"),
        calls=(Call("Bridge to HL7v2", "hl7v2", _FHIR),),
    ),
    Channel(
        key="hl7v2-ack",
        name="Bridge HL7v2 ACK",
        about="Takes HL7 v2 over MLLP and hands it to the bridge, which answers with an HL7 v2 acknowledgement. No "
        "script: Validate Response reads MSA. Start the bridge with --deliver, so that AA means stored.",
        source=Source("mllp", "TCP Listener", "HL7V2", COMPLETED, "ack_port"),
        calls=(Call("Bridge with ACK", "fhir", _ER7, is_acknowledged=True),),
    ),
)
_TO_SERVER = Channel(
    key="deliver-fhir",
    name="Bridge deliver FHIR",
    about="Posts what the other channels of the bridge hand it to a FHIR server.",
    source=Source("channel", "Channel Reader", "RAW", NONE),
)
_TO_RECEIVER = Channel(
    key="deliver-hl7v2",
    name="Bridge deliver HL7v2",
    about="Sends what the other channels of the bridge hand it over MLLP, and validates the acknowledgement.",
    source=Source("channel", "Channel Reader", "HL7V2", NONE),
)


def channels(site: Site) -> tuple[Channel, ...]:
    """Return the channels that a site gets: those that deliver only where it says to whom."""
    more = [_TO_SERVER] * bool(site.fhir_server) + [_TO_RECEIVER] * bool(site.hl7_receiver)
    return (*CHANNELS, *more)


def channel_xml(channel: Channel, site: Site) -> str:
    """Return the export of a channel, as the engine imports it."""
    put = partial(fill, version=site.version, resources=fill("resources.xml"))
    source = channel.source
    connectors = [_call(put, channel, number, site) for number in range(1, len(channel.calls) + 1)]
    connectors = connectors or [_delivery(put, channel, site)]
    made = put(
        "channel.xml",
        id=channel.id,
        next=str(len(connectors) + 1),
        name=channel.name,
        description=channel.about,
        source=_source(put, source, site),
        source_types=_types(put, source.type),
        transport=source.transport,
        destinations="\n".join(connectors),
        time=MADE,
    )
    return finished(made)


Put = partial[str]


def _source(put: Put, source: Source, site: Site) -> str:
    """Return the properties of a source connector."""
    listener = put("listener.xml", listen=site.listen, port=str(getattr(site, source.port))) if source.port else ""
    return put(
        f"source-{source.template}.xml",
        listener=listener,
        source_properties=put("source-properties.xml", answer=source.answer),
        mllp=put("mllp.xml"),
        charset=site.charset,
        ae_title=site.ae_title,
        path=site.path,
    )


def _call(put: Put, channel: Channel, number: int, site: Site) -> str:
    """Return the destination of a channel with that number (from 1) that asks the bridge."""
    call = channel.calls[number - 1]
    is_acknowledged = call.is_acknowledged
    url = f"{site.base}/v1/translate?to={call.to}"
    if call.to == "fhir" and site.fhir_release != "R4":
        url += f"&fhir-release={site.fhir_release}"
    headers = put("headers.xml", key=site.key_name) if site.key_name else put("no-headers.xml")
    return put(
        "destination.xml",
        number=str(number),
        name=call.name,
        properties=put(
            "destination-http.xml",
            destination_properties=_queue(put, site, validates=is_acknowledged),
            url=url + "&answer=ack" * is_acknowledged,
            headers=headers,
            content_type=call.content_type,
            binary=_spelled(call.is_binary),
            timeout=str(site.timeout),
        ),
        types=_types(put, channel.source.type),
        steps=put("no-steps.xml") if is_acknowledged else _step(put, call, site),
        response_types=_types(put, "HL7V2" if is_acknowledged else "RAW"),
        transport="HTTP Sender",
        waits=_spelled(number == 1),  # every other destination is in a chain of its own: none holds up another
    )


def step_script(to: str, site: Site) -> str:
    """Return the script of the response transformer of a destination that asks for ``to``."""
    delivers = {"fhir": _TO_SERVER if site.fhir_server else None, "hl7v2": _TO_RECEIVER if site.hl7_receiver else None}
    target = delivers[to]
    deliver = fill("deliver.js", target=literal(target.id)) if target else fill("keep.js")
    return fill("step.js", verdict=fill("bridgeVerdict.js"), reason=fill("bridgeReason.js"), deliver=deliver)


def _step(put: Put, call: Call, site: Site) -> str:
    return put("steps.xml", step="What the answer of the bridge means", script=step_script(call.to, site))


def _delivery(put: Put, channel: Channel, site: Site) -> str:
    """Return the destination of a channel that delivers."""
    is_fhir = channel is _TO_SERVER
    host, _, port = site.hl7_receiver.rpartition(":")
    properties = put(
        "destination-http.xml" if is_fhir else "destination-mllp.xml",
        destination_properties=_queue(put, site, validates=not is_fhir),
        url=site.fhir_server,
        headers=put("no-headers.xml"),
        content_type=_FHIR,
        binary="false",
        timeout=str(site.timeout),
        mllp=put("mllp.xml"),
        remote_host=host,
        remote_port=port,
        charset=site.charset,
    )
    script = fill("step.js", verdict=fill("serverVerdict.js"), reason=fill("bridgeReason.js"), deliver=fill("kept.js"))
    return put(
        "destination.xml",
        number="1",
        name="FHIR server" if is_fhir else "HL7v2 receiver",
        properties=properties,
        types=_types(put, channel.source.type),
        steps=put("steps.xml", step="What the answer means", script=script) if is_fhir else put("no-steps.xml"),
        response_types=_types(put, channel.source.type),
        transport="HTTP Sender" if is_fhir else "TCP Sender",
        waits="true",
    )


def _queue(put: Put, site: Site, *, validates: bool) -> str:
    return put("destination-properties.xml", validate=_spelled(validates), retry=str(site.retry))


def _types(put: Put, kind: str) -> str:
    """Return data types and their properties, in and out alike: with different ones the engine would convert."""
    inbound, outbound = (put(f"type-{kind}.xml", side=side) for side in ("inbound", "outbound"))
    return put("types.xml", type=kind, inbound=inbound, outbound=outbound)


def _spelled(value: bool) -> str:
    return "true" if value else "false"
