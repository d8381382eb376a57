"""Every attribute that has a row says what it is, briefly, and in which unit."""

from __future__ import annotations

import re

import pytest

from bridge.tables import source
from bridge.tables.definitions import FILE, defined, definitions
from bridge.tables.dictionary import by_keyword
from bridge.tables.formats import shipped
from bridge.tables.rows import Row
from tests.peers.plans import plan
from tests.tables.curated.records import BRIDGE, TABLES

MEMBERS = list(TABLES.by_id.values())
BY_TABLE = source.plain(source.parse(shipped(FILE), FILE))["definitions"]
LONGEST = 160
IN_WORDS = {
    "%": "percent",
    "Gy": "Gy",
    "d": "days",
    "deg": "degrees",
    "kg": "kilograms",
    "kg/m2": "kg/m2",
    "m": "metres",
    "mm": "mm",
    "s": "seconds",
    "uGy": "uGy",
    "uGy/h": "uGy/h",
}


@pytest.mark.parametrize("member", MEMBERS, ids=lambda member: member.id)
def test_a_row_is_defined(member):
    assert defined(member), f"{member.id}: give the row a definition, or {member.keyword} one in mappings/{FILE}"


@pytest.mark.parametrize("member", MEMBERS, ids=lambda member: member.id)
def test_a_definition_is_a_short_sentence(member):
    text = defined(member)
    assert text.endswith(".")
    assert text[0].isupper()
    assert len(text) <= LONGEST


@pytest.mark.parametrize(
    "row", [row for row in MEMBERS if isinstance(row, Row) and row.hl7v2.unit], ids=lambda row: row.id
)
def test_a_definition_names_the_unit_of_its_row(row):
    assert re.search(rf"\b{re.escape(IN_WORDS[row.hl7v2.unit])}\b", defined(row))


def test_nothing_is_defined_twice_nor_without_a_row():
    keywords = [keyword for table in BY_TABLE.values() for keyword in table]
    assert len(keywords) == len(set(keywords)) == len(definitions())
    assert set(definitions()) <= {member.tag for member in MEMBERS}


@pytest.mark.parametrize("table", BY_TABLE)
def test_a_definition_stands_below_a_table_that_has_its_attribute(table):
    attributes = [by_keyword(keyword) for keyword in BY_TABLE[table]]
    assert {attribute.tag for attribute in attributes} <= {member.tag for member in MEMBERS if member.table == table}


def test_neither_loading_nor_translating_reads_the_definitions():
    from bridge.tables.builtin import load_uncached

    definitions.cache_clear()
    load_uncached()
    BRIDGE.translate(plan("PRIOR"), to="fhir")
    assert definitions.cache_info().currsize == 0
