"""The same writers as ``inputs``, with the same faults, in the bridge's own conventions.

A FHIR case puts its value into the relationship of an ImagingStudy's extension instead of an Observation, an HL7 v2 case has the bridge's
observation identifiers in an otherwise complete plan, a DICOM JSON case is a plan, and a mapping case is in the bridge's table language. So that
the fault is met where the bridge looks, and not already the frame around it.
"""

from __future__ import annotations

import json

from tests.interfaces.bad_inputs.inputs import OBR, PID, RTPLAN, msh

# -- DICOM JSON --------------------------------------------------------------------------------------------------------

_BEFORE = (
    f'"00080016":{{"vr":"UI","Value":["{RTPLAN}"]}}',
    '"00080018":{"vr":"UI","Value":["1.2.3.4"]}',
    '"00080060":{"vr":"CS","Value":["RTPLAN"]}',
    '"00100020":{"vr":"LO","Value":["ID01"]}',
    '"0020000D":{"vr":"UI","Value":["1.2.3.1"]}',
    '"0020000E":{"vr":"UI","Value":["1.2.3.2"]}',
    '"300A0002":{"vr":"SH","Value":["plan"]}',
)
_REFERENCED = f'"00081150":{{"vr":"UI","Value":["{RTPLAN}"]}},"00081155":{{"vr":"UI","Value":["1.2.3.9"]}}'


def plan_json(*members: str, item: str = '"300A0055":{"vr":"CS","Value":["PRIOR"]}') -> str:
    """Return a plan as DICOM JSON with further members, and ``item`` in its one referenced plan."""
    sequence = f'"300C0002":{{"vr":"SQ","Value":[{{{_REFERENCED},{item}}}]}}'
    return "{" + ",".join((*_BEFORE, *members, sequence)) + "}"


def dj(value: str = '["PRIOR"]', vr: str = '"CS"', tag: str = "300A0055", extra: str = "") -> str:
    """Return a plan with one odd element: in the item if it is the relationship, else in the plan."""
    odd = f'"{tag}":{{"vr":{vr},"Value":{value}{extra}}}'
    return plan_json(item=odd) if tag in {"300A0055", "RTPlanRelationship", "300A00555"} else plan_json(odd)


# -- HL7 v2 ------------------------------------------------------------------------------------------------------------

_CONTEXT = (
    f"OBX|91|ST|00080016^SOP Class UID^99DCMELEM||{RTPLAN}||||||F\r"
    "OBX|92|ST|00080018^SOP Instance UID^99DCMELEM||1.2.3.4||||||F\r"
    "OBX|93|CWE|00080060^Modality^99DCMELEM||RTPLAN^^DCM||||||F\r"
    "OBX|94|ST|0020000D^Study Instance UID^99DCMELEM||1.2.3.1||||||F\r"
    "OBX|95|ST|0020000E^Series Instance UID^99DCMELEM||1.2.3.2||||||F\r"
    "OBX|96|ST|300A0002^RT Plan Label^99DCMELEM||plan||||||F\r"
    "OBX|97|NM|300C0002^Referenced RT Plan Sequence^99DCMELEM|1|1||||||F\r"
    f"OBX|98|ST|00081150^Referenced SOP Class UID^99DCMELEM|1.1|{RTPLAN}||||||F\r"
    "OBX|99|ST|00081155^Referenced SOP Instance UID^99DCMELEM|1.1|1.2.3.9||||||F\r"
)


def obx(
    v: str = "PREDECESSOR",
    vt: str = "CWE",
    n: int = 1,
    oid: str = "300A0055^RT Plan Relationship^99DCMELEM",
    status: str = "F",
) -> str:
    """Return the relationship's OBX; every one of them says that it is item 1's."""
    return f"OBX|{n}|{vt}|{oid}|1.1|{v}||||||{status}\r"


def oru(*segments: str, head: str | None = None) -> str:
    """Return a complete plan; ``segments`` stand for the relationship's OBX."""
    start = msh() if head is None else head
    mark, second = (start[3], start[4]) if len(start) > 4 else ("|", "^")
    rest = (PID + OBR + _CONTEXT).replace("^", second) if mark == "|" and second not in "|\r" else PID + OBR + _CONTEXT
    tail = "".join(segments) or obx().replace("^", second if second not in "|\r" else "^")
    return start + rest + tail


# -- FHIR --------------------------------------------------------------------------------------------------------------

BASE = "https://w3id.org/dicom-bridge/fhir"
#: Members of an Observation, and where an ImagingStudy has one of the same kind.
_INSTEAD = {"effectiveDateTime": "started", "category": "modality"}


def _relationship(values: dict[str, object]) -> dict[str, object]:
    """Return the sub-extension; the value[x] of an Observation become its own, a text becomes the code."""
    code = values.pop("valueString", "PRIOR")
    out: dict[str, object] = {"url": "relationship"}
    if code is not ...:
        coding = {"system": f"{BASE}/CodeSystem/dicom-rt-plan-relationship", "code": code}
        out["valueCodeableConcept"] = {"coding": [coding]}
    return out | values


def obs(raw: str | None = None, **over: object) -> str:
    """Return an ImagingStudy of one plan that refers to another; the faults of the catalogue's Observation are put into it."""
    values = {name: over.pop(name) for name in list(over) if name.startswith("value")}
    extension = {
        "url": f"{BASE}/StructureDefinition/dicom-rt-plan-relationship",
        "extension": [
            _relationship(values),
            {"url": "sopClass", "valueCoding": {"system": "urn:ietf:rfc:3986", "code": f"urn:oid:{RTPLAN}"}},
            {"url": "instanceUid", "valueId": "1.2.3.9"},
        ],
    }
    label = {"url": f"{BASE}/StructureDefinition/dicom-rt-plan-label", "valueString": "plan"}
    instance = {
        "uid": "1.2.3.4",
        "sopClass": {"system": "urn:ietf:rfc:3986", "code": f"urn:oid:{RTPLAN}"},
        "extension": [label, extension],
    }
    modality = {"system": "http://dicom.nema.org/resources/ontology/DCM", "code": "RTPLAN"}
    members: dict[str, object] = {
        "resourceType": "ImagingStudy",
        "status": "available",
        "identifier": [{"system": "urn:dicom:uid", "value": "urn:oid:1.2.3.1"}],
        "subject": {"identifier": {"value": "ID01"}},
        "series": [{"uid": "1.2.3.2", "modality": modality, "instance": [instance]}],
    }
    members |= {_INSTEAD.get(name, name): value for name, value in over.items()}
    text = json.dumps({name: value for name, value in members.items() if value is not ...})
    if raw is None:
        return text
    return text.replace('"code": "PRIOR"', '"code": "PRIOR", ' + raw.replace("valueString", "code"))


def last(member: str, text: str) -> str:
    """Return the same object with ``member`` at its end."""
    members = json.loads(text)
    members[member] = members.pop(member)
    return json.dumps(members)


def qty(number: str) -> str:
    """Return an ImagingStudy that holds ``number`` in somebody else's extension."""
    return f'{obs()[:-1]},"extension": [{{"url": "http://example.org/dose", "valueDecimal": {number}}}]}}'


# -- mapping tables ----------------------------------------------------------------------------------------------------


def mp(row: str = "", top: str = "") -> str:
    """Return a table of one row in the bridge's table language; ``row`` goes on in the row, ``top`` above the rows."""
    return (
        "table: bad-input\n"
        'version: "1.0.0"\n'
        'standard: {dicom: "2024c", source: "PS3.3"}\n'
        "applies-to: {sop-class: [RTPlanStorage]}\n"
        f"{top}"
        "examples:\n"
        "  - name: a plan with a name\n"
        '    dicom: {"300A0003": {vr: LO, Value: ["A"]}}\n'
        "    fhir: {ImagingStudy.series.instance: {extension: [{url: dicom-bad-input, valueString: A}]}}\n"
        '    hl7v2: ["ST|300A0003^RT Plan Name^99DCMELEM||A"]\n'
        "rows:\n"
        "  - id: bad-input-name\n"
        '    dicom: "300A0003"\n'
        '    source: "PS3.3 C.8.8.9"\n'
        "    fhir: {on: ImagingStudy.series.instance, extension: dicom-bad-input, value: string}\n"
        "    hl7v2: {type: ST}\n"
        '    card: "0..1"\n'
        f"{row}"
    )
