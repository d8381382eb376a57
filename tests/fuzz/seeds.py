"""The good documents that the fuzzers break. The patient's name in them is a word that no message of the bridge may hold."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from tests.conftest import CORPORA
from tests.interfaces.bad_inputs import adapted, inputs

CANARY = "Zxqcanaryzxq"  # stands for everything that a person must not find in a log

_BIG = "1.2.840.10008.1.2.2"


def _dicom() -> list[bytes]:
    name = CANARY.encode()
    sequence = inputs.sq(0x300C0002, inputs.ref() + inputs.ref(b"CONCURRENT") + inputs.item(b""))
    undefined = inputs.sq_u(0x300C0002, inputs.item_u(inputs.ref()[8:]) + inputs.item_u(b""))
    private = inputs.el(0x300B0010, "LO", b"CREATOR ") + inputs.el(0x300B1001, "UN", inputs.even(name))
    implicit = inputs.iel(0x00080016, inputs.even(inputs.RTPLAN.encode(), b"\0")) + inputs.iel(0x00080018, b"1.2.3.4\0")
    implicit += inputs.iel(0x00100010, inputs.even(name)) + inputs.iel(
        0x300C0002, inputs.item(inputs.iel(0x300A0055, b"PRIOR "))
    )
    body = inputs.body(name=name, charset=b"ISO_IR 100", intent=b"VERIFICATION")
    return [
        inputs.meta() + body + private + sequence,
        inputs.meta() + body + undefined,
        inputs.meta(ts="1.2.840.10008.1.2") + implicit,
        inputs.meta(ts=inputs.DEFLATED) + inputs.raw_deflate(body + sequence),
        inputs.meta() + inputs.body(name=name) + inputs.nest_def(5) + inputs.nest_undef(5),
        (CORPORA / "dicom" / "pymedphys_monaco_06MV_plan.dcm").read_bytes(),
    ]


def _texts(*documents: str) -> list[bytes]:
    return [document.replace("DOE", CANARY).encode() for document in documents]


def _dicom_json() -> list[bytes]:
    name = f'"00100010":{{"vr":"PN","Value":[{{"Alphabetic":"{CANARY}^A"}}]}}'
    bulk = '"300A0056":{"vr":"OB","InlineBinary":"AAEC"}'
    number = '"300A0051":{"vr":"DS","Value":[1.10,-2e3]}'
    whole = adapted.plan_json(name, bulk, number)
    return _texts(adapted.dj(), whole, f"[{whole},{adapted.dj()}]", '{"300C0002":{"vr":"SQ","Value":[{}]}}')


def _fhir() -> list[bytes]:
    name = {"identifier": {"value": CANARY, "assigner": {"display": CANARY}}, "display": CANARY}
    whole = adapted.obs(subject=name, started="2026-01-01T10:00:00+01:00")
    bundle = '{"resourceType":"Bundle","type":"collection","entry":[{"resource":%s},{"resource":%s}]}'
    request = whole.replace('"ImagingStudy"', '"ServiceRequest"').replace('"available"', '"active", "intent": "plan"')
    return _texts(adapted.obs(), whole, adapted.qty("1.10"), bundle % (whole, adapted.obs()), request)


def _hl7v2() -> list[bytes]:
    whole = adapted.oru(adapted.obx(), head=adapted.msh(cs="UNICODE UTF-8"))
    odd = adapted.oru(head=adapted.msh(enc="|@~\\&", ver="2.3"))
    batch = "FHS|^~\\&|A\rBHS|^~\\&|A\r" + adapted.oru() + whole + "BTS|2\rFTS|1\r"
    real = CORPORA / "hl7v2" / "microsoft-fhir-converter" / "data_SampleData_Hl7v2_ORU-R01-01.hl7"
    return [*_texts(whole, odd, batch, whole.replace("\r", "\n")), real.read_bytes()]


def _yaml() -> list[bytes]:
    shipped = [
        (files("bridge.mappings") / name).read_bytes() for name in ("rt_plan_relationship.yaml", "rt_plan_context.yaml")
    ]
    return [adapted.mp().replace("bad input", CANARY).encode(), *shipped]


_MAKERS = {"dicom": _dicom, "dicom-json": _dicom_json, "fhir": _fhir, "hl7v2": _hl7v2, "yaml": _yaml}
FORMATS = tuple(_MAKERS)


@cache
def seeds(source: str) -> tuple[bytes, ...]:
    """Return good documents of a format."""
    return tuple(_MAKERS[source]())


#: Pieces that mean something to a reader of the format.
WORDS: dict[str, tuple[bytes, ...]] = {
    "dicom": (
        b"\xff\xff\xff\xff",
        b"\xfe\xff\x00\xe0",
        b"\xfe\xff\x0d\xe0",
        b"\xfe\xff\xdd\xe0",
        b"\x0c\x30\x02\x00SQ\0\0",
        b"\x0a\x30\x55\x00CS",
        b"\0\0\0\0",
        b"UN\0\0\xff\xff\xff\xff",
        b"DICM",
        b"\x08\x00\x05\x00CS\x0a\x00ISO_IR 999",
        b"\\",
        b"\x02\x00\x10\x00UI",
        b"\xff\xfe",
        b"NaN ",
        b"1e999",
    ),
    "dicom-json": (
        b'"vr"',
        b'"Value"',
        b'"InlineBinary":"',
        b'"BulkDataURI":"file:///x"',
        b"null",
        b"NaN",
        b"1e999",
        b"[",
        b"{",
        b'"',
        b"\\ud800",
        b'"SQ"',
        b"9" * 80,
        b"\xef\xbb\xbf",
    ),
    "fhir": (
        b'"extension":[',
        b'"url":"',
        b'"valueString":',
        b"null",
        b"[]",
        b"{}",
        b"NaN",
        b"1e999",
        b"\\u0000",
        b"\\ud800",
        b'"resourceType":"Bundle"',
        b"[" * 40,
        b'"_uid":{}',
        b"1.10",
    ),
    "hl7v2": (
        b"\r",
        b"\n",
        b"|",
        b"^",
        b"~",
        b"\\",
        b"&",
        b'""',
        b"\\X0D\\",
        b"\\X0\\",
        b"\\.br\\",
        b"MSH|^~\\&|",
        b"\rOBX|1|",
        b"\x0b",
        b"\x1c\r",
        b"\rOBR|1",
        b"\xff",
        b"|2.8.2|",
        b"\rBTS|9",
        b"1.1.1.1.1",
    ),
    "yaml": (
        b"&a ",
        b"*a",
        b"!!python/object ",
        b"<<: ",
        b"---\n",
        b"\t",
        b": ",
        b"- ",
        b"{",
        b"}",
        b"[",
        b'"',
        b"'",
        b"|\n",
        b"\0",
        b"~",
        b"rows:\n",
        b"groups:\n",
        b"\n  - id: x\n",
        b"\xef\xbb\xbf",
    ),
}
