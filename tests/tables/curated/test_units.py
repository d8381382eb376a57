"""Units are those that DICOM fixes for an attribute: stated, and never silently another."""

from __future__ import annotations

import pytest

from bridge.record import Element, Format, Record
from tests.tables.curated.records import BRIDGE, TABLES, every_value

WHOLE = every_value()
DOSE = '"valueQuantity":{"value":78,"unit":"Gy","system":"http://unitsofmeasure.org","code":"Gy"}'
LINE = "NM|300A0026^Target Prescription Dose^99DCMELEM|"


def fhir() -> str:
    return BRIDGE.translate(document(), to="fhir", source="dicom-json").to_bytes().decode()


def hl7v2() -> str:
    return BRIDGE.translate(document(), to="hl7v2", source="dicom-json").to_bytes().decode()


def document():
    return BRIDGE.lens(Format.DICOM_JSON).write([WHOLE], to=Format.DICOM_JSON).document


def test_a_dose_is_a_quantity_in_gray():
    assert DOSE in fhir()


def test_an_observation_states_its_unit():
    (line,) = [s for s in hl7v2().split("\r") if LINE in s and "|78|" in s and s.count("|") and ".1|78" in s][:1]
    assert line.split("|")[5:7] == ["78", "Gy^^UCUM"]
    assert line.split("|")[11] == "F"


@pytest.mark.parametrize(
    ("change", "codes"),
    [
        (('"unit":"Gy","system":"http://unitsofmeasure.org","code":"Gy"', '"unit":"cGy","system":"http://unitsofmeasure.org","code":"cGy"'), {"value.unit"}),
        (('"unit":"Gy","system":"http://unitsofmeasure.org","code":"Gy"', '"unit":"cGy"'), {"value.unit"}),
        (('"unit":"Gy","system":"http://unitsofmeasure.org","code":"Gy"', '"unit":"Gy","system":"http://other","code":"Gy"'), {"value.unit"}),
        ((',"unit":"Gy","system":"http://unitsofmeasure.org","code":"Gy"', ""), {"value.alias"}),
    ],
)  # fmt: skip
def test_a_quantity_in_another_unit_is_refused_and_one_without_is_understood(change, codes):
    text = fhir().replace(DOSE, DOSE.replace(*change), 1)
    found = {issue.code for issue in BRIDGE.check(text)}
    assert codes <= found
    assert ("value.unit" in found) == ("value.unit" in codes)


@pytest.mark.parametrize(
    ("unit", "codes"), [("cGy^^UCUM", {"value.unit"}), ("mGy", {"value.unit"}), ("", set()), ("Gy", set())]
)
def test_an_observation_in_another_unit_is_refused_and_one_without_is_understood(unit, codes):
    message = hl7v2().replace("|78|Gy^^UCUM|", f"|78|{unit}|", 1)
    assert {issue.code for issue in BRIDGE.check(message)} & {"value.unit"} == codes
    if codes:
        result = BRIDGE.translate(message, to="dicom-json", keep_going=True)
        assert result.ledger.counts()["rejected"] == 1


def test_every_unit_of_a_row_is_the_same_in_both_formats():
    units = [
        (home.system, member.hl7v2.unit)
        for member in TABLES.by_id.values()
        for home in member.fhir
        if home.type == "Quantity" or member.hl7v2.unit
    ]
    assert len(units) > 100
    assert all(ours == theirs for ours, theirs in units)
    assert {ours for ours, _ in units} == {"Gy", "mm", "deg", "%", "s", "d", "uGy", "uGy/h", "kg", "m", "kg/m2"}


# --- names and other fields of PID


def message(**texts: str) -> str:
    lines = hl7v2().split("\r")
    pid = next(line for line in lines if line.startswith("PID"))
    fields = pid.split("|")
    for name, text in texts.items():
        fields[int(name[1:])] = text
    return "\r".join("|".join(fields) if line == pid else line for line in lines)


def test_the_patient_is_in_pid():
    fields = next(line for line in hl7v2().split("\r") if line.startswith("PID")).split("|")
    assert (fields[5], fields[7], fields[8]) == ("DOE^JANE^M^^DR", "19600115", "F")


@pytest.mark.parametrize(
    ("field", "name"),
    [
        ("DOE^JANE^M^JR^DR", ("DOE^JANE^M^DR^JR",)),
        ("DOE&VAN&DER^JANE^^^^^L", ("DOE^JANE",)),
        ("D\\S\\E", None),  # a caret inside a component has no place in a PN
        ("DOE^JANE~ROE^JANE", ("DOE^JANE",)),
    ],
)
def test_a_name_in_components_is_read(field, name):
    record = BRIDGE.read(message(p5=field), source="hl7v2").records[0]
    found = record.get("00100010")
    if name:
        assert found == Element("00100010", "PN", name)


@pytest.mark.parametrize("field", ["F", "F^Female^HL70001", "F^Female^HL70001^W^Weiblich^L"])
def test_the_sex_is_a_code_alone_or_a_coded_value_as_from_2_7_on(field):
    document = message(p8=field)
    reading = BRIDGE.read(document, source="hl7v2")
    assert reading.records[0].get("00100040") == Element("00100040", "CS", ("F",))
    assert BRIDGE.lens(Format.HL7V2).write(reading.records, into=document.encode()).document == document.encode()


def test_without_a_name_pid_says_that_none_is_stated():
    record = Record(tuple(e for e in WHOLE.elements if e.tag != "00100010"))
    text = BRIDGE.lens(Format.HL7V2).write([record], to=Format.HL7V2).document
    assert b"|^^^^^^U|" in text
    assert BRIDGE.read(text, source="hl7v2").records == [record]


@pytest.mark.parametrize("name", ["DOE^JANE^M^DR^JR^x", "Yamada^Tarou=Y^T=Z", "A^B^", "^", "a|b^c&d^e~f"])
def test_a_name_that_has_no_place_in_pid_is_an_observation(name):
    record = Record(tuple(e._replace(values=(name,)) if e.tag == "00100010" else e for e in WHOLE.elements))
    text = BRIDGE.lens(Format.HL7V2).write([record], to=Format.HL7V2).document
    assert BRIDGE.read(text, source="hl7v2").records == [record]


# --- native elements that cannot hold every value


@pytest.mark.parametrize("number", ["007", "+3", "-1", "3"])
def test_a_series_number_keeps_its_text(number):
    record = Record(tuple(e._replace(values=(number,)) if e.tag == "00200011" else e for e in WHOLE.elements))
    made = BRIDGE.lens(Format.FHIR).write([record], to=Format.FHIR).document
    series = made["series"][0]  # type: ignore[index]
    assert (series.get("number") == 3) == (number == "3")
    assert ("_number" in series) == (number != "3")
    assert BRIDGE.read(made, source="fhir").records == [record]


@pytest.mark.parametrize(
    ("started", "day", "code"),
    [
        ("2026-02-28", "20260228", ""),
        ("2026-02-28T10:15:00+01:00", "20260228", "value.alias"),
        ("2026-02", None, ""),
    ],
)
def test_a_partners_start_is_the_day_of_the_study(started, day, code):
    text = fhir().replace('"started":"2026-02-28"', f'"started":"{started}"')
    assert started in text
    record = BRIDGE.read(text, source="fhir").records[0]
    assert record.value("00080020") == (day or "")
    assert code in {issue.code for issue in BRIDGE.check(text)} | {""}
    assert not any(str(issue.severity) == "error" for issue in BRIDGE.check(text))


# --- the visit and the order: PV1 and ORC (IHE RAD TF-2x appendix B)


def segment(name: str, text: str) -> list[str]:
    return next(line for line in text.split("\r") if line.startswith(name)).split("|")


def test_the_visit_and_the_order_have_their_segments_before_obr():
    names = [line[:3] for line in hl7v2().split("\r") if line]
    assert names[:5] == ["MSH", "PID", "PV1", "ORC", "OBR"]
    visit, order = segment("PV1", hl7v2()), segment("ORC", hl7v2())
    assert (visit[1], visit[2], visit[8], visit[19]) == ("1", "U", "^ROE^RICHARD^^^DR", "ADM1")
    assert (order[1], order[17]) == ("RE", "^Urology")


def test_a_plan_that_says_nothing_of_them_has_neither():
    record = Record(tuple(e for e in WHOLE.elements if e.tag not in {"00080090", "00321033", "00380010"}))
    text = BRIDGE.lens(Format.HL7V2).write([record], to=Format.HL7V2).document.decode()
    assert "\rPV1|" not in text
    assert "\rORC|" not in text


@pytest.mark.parametrize(
    ("field", "name", "is_left"),
    [
        ("4711^ROE^RICHARD^Q^III^DR^MD^^HOSPITAL", "ROE^RICHARD^Q^DR^III", True),
        ("^ROE^RICHARD", "ROE^RICHARD", False),
        ("ROE", "", True),
        ("4711", "", True),
        ("^ROE~^DOE", "ROE", True),
    ],
)
def test_a_partners_physician_is_read_and_what_else_the_field_says_is_reported(field, name, is_left):
    text = hl7v2().replace("^ROE^RICHARD^^^DR", field)
    assert field in text
    assert BRIDGE.read(text, source="hl7v2").records[0].value("00080090") == name
    lines = BRIDGE.translate(text, to="fhir").ledger.lines
    assert any(line.source == "PV1[1]-8" and line.state == "unmapped" for line in lines) == is_left
    again = BRIDGE.translate(BRIDGE.translate(text, to="fhir").output, to="hl7v2", into=text)
    assert again.to_bytes().decode() == text


def test_orders_that_differ_in_their_service_are_different_messages():
    other = Record(
        tuple(
            e._replace(values=("Oncology",))
            if e.tag == "00321033"
            else e._replace(values=("1.2.3.4",))
            if e.tag == "00080018"
            else e
            for e in WHOLE.elements
        )
    )
    text = BRIDGE.lens(Format.HL7V2).write([WHOLE, other], to=Format.HL7V2).document
    assert BRIDGE.read(text, source="hl7v2").records == [WHOLE, other]
