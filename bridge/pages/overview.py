"""Pages that lead to others: the start, the attributes, the tables and the terms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape

from bridge.pages.markup import Page, code, facts, grid, heading, link, page, said, tag_of
from bridge.pages.subject import Subject
from bridge.pages.workbench import Workbench
from bridge.tables.rows import Group, Member, Row, Table, Terms


def start_page(bench: Workbench, subjects: Sequence[Subject], guides: Mapping[str, str]) -> Page:
    """Return the page that a visitor sees first."""
    tables = bench.bridge.tables.tables
    about = "Carries what DICOM knows into FHIR and HL7 v2, and back, with nothing lost and nothing guessed."
    cards = [
        (
            "Attributes",
            "attributes/index.html",
            f"{len(subjects)} attributes of an RT Plan: mapping, errors, clouds, tested examples.",
        ),
        ("Tables", "tables/index.html", f"{len(tables)} tables in YAML. They are all that the code knows."),
        ("Terms", "terms/index.html", "Defined Terms and Enumerated Values, and how each format spells them."),
        (
            "Issues",
            "issues/index.html",
            f"{len(bench.bridge.catalogue.entries)} codes: what each means, and what to do.",
        ),
        ("Conformance", "conformance.html", "What is read and written, in DICOM, FHIR and HL7 v2."),
        ("Command line", "cli.html", "Every command with its options and exit codes."),
        ("Python", "api.html", "The public classes and functions."),
    ]
    if guides:
        cards.insert(4, ("Guides", "guides/index.html", "Gateway, Mirth, batch, clouds, HTTP, lineage of plans."))
    first = max(subjects, key=lambda one: len(one.known.trouble))
    return page(
        "index",
        "bridge",
        about,
        said(escape(about)),
        _cards(cards),
        heading("Start here", "start"),
        said(
            f"{link(escape(first.title), f'attributes/{first.tag}.html')}: {escape(first.known.definition)} "
            "Its page is made from the tables and from what the bridge does, and every line on it can be run."
        ),
        said("This site asks no other host for anything. Search works without a server, also from a folder."),
    )


def _cards(cards: Sequence[tuple[str, str, str]]) -> str:
    inner = "".join(
        f"<li>{link(escape(name), target)}<span>{escape(text)}</span></li>\n" for name, target, text in cards
    )
    return f'<ul class="cards">\n{inner}</ul>\n'


def attributes_page(subjects: Sequence[Subject]) -> Page:
    """Return the list of all attributes, to be narrowed by typing."""
    return page(
        "attributes/index",
        "Attributes",
        "Every attribute that a table has a row for.",
        '<div class="filter"><input type="search" data-filter=".attributes" aria-label="Narrow the list" '
        'placeholder="Tag, keyword, name, meaning, table" autocomplete="off">'
        f'<span data-count role="status">{len(subjects)} of {len(subjects)}</span></div>\n',
        grid(
            ("tag", "name", "keyword", "VR", "what it is", "tables"),
            (
                (
                    link(tag_of(one.tag), f"{one.tag}.html"),
                    escape(one.known.name),
                    code(one.known.keyword),
                    escape(one.known.vr),
                    escape(one.known.definition),
                    ", ".join(dict.fromkeys(escape(row.table) for row in one.known.rows)),
                )
                for one in subjects
            ),
            kind="attributes",
        ),
    )


def table_pages(bench: Workbench) -> Iterator[Page]:
    """Yield the list of tables, and a page for each."""
    tables = bench.bridge.tables
    yield page(
        "tables/index",
        "Tables",
        "The mapping tables: what the code knows of attributes.",
        grid(
            ("table", "version", "after", "rows", "examples"),
            (
                (
                    link(escape(table.id), f"{table.id}.html"),
                    escape(table.version),
                    escape(f"DICOM {table.standard.get('dicom', '')}, {table.standard.get('source', '')}"),
                    str(sum(1 for member in tables.by_id.values() if member.table == table.id)),
                    str(len(table.examples)),
                )
                for table in tables.tables.values()
            ),
        ),
    )
    for table in tables.tables.values():
        yield _table_page(bench, table)


def _table_page(bench: Workbench, table: Table) -> Page:
    return page(
        f"tables/{table.id}",
        f"Table {table.id}",
        f"Rows of the table {table.id}, and where each lives.",
        facts(
            (
                ("Version", escape(table.version)),
                ("Digest", code(f"sha256:{table.digest[:12]}")),
                ("After", escape(f"DICOM {table.standard.get('dicom', '')}, {table.standard.get('source', '')}")),
                ("Applies to", ", ".join(escape(keyword) for keyword in table.sop_classes.values())),
                ("File", code(f"mappings/{table.spot.document}")),
            )
        ),
        heading("Rows", "rows"),
        grid(("attribute", "VR", "type", "FHIR", "HL7 v2", "terms"), _rows(bench, table.rows, 0)),
        heading("Examples", "examples"),
        said("They are run in all six directions by the tests, and are what the attributes' pages are made with."),
        "<ul>\n" + "".join(f"<li>{escape(example.name)}</li>\n" for example in table.examples) + "</ul>\n",
    )


def _rows(bench: Workbench, members: Mapping[str, Member], depth: int) -> Iterator[tuple[str, ...]]:
    for member in members.values():
        row = member if isinstance(member, Row) else None
        name = f"{escape(member.name)} {tag_of(member.tag)}"
        named = link(name, f"../attributes/{member.tag}.html") if member.tag in bench.pages else name
        home = member.fhir[0] if member.fhir else None
        place = "" if home is None else home.url.rpartition("/")[2] or ".".join(step.name for step in home.path)
        field = ".".join(map(str, member.hl7v2.field))
        yield (
            "› " * depth + named,
            row.vr if row else "SQ",
            ("1" if row.needs_value else "2" if row.lowest else "3") if row else "",
            code(place) if place else "dicom-attribute",
            code(f"{member.hl7v2.segment}-{field}") if field else f"OBX {escape(member.hl7v2.type)}",
            link(escape(row.terms.id), f"../terms/{row.terms.id}.html") if row and row.terms else "",
        )
        if isinstance(member, Group):
            yield from _rows(bench, member.members, depth + 1)


def term_pages(bench: Workbench) -> Iterator[Page]:
    """Yield the list of value sets, and a page for each."""
    sets: dict[str, tuple[Terms, list[Row]]] = {}
    for member in bench.bridge.tables.by_id.values():
        if isinstance(member, Row) and member.terms:
            sets.setdefault(member.terms.id, (member.terms, []))[1].append(member)
    yield page(
        "terms/index",
        "Terms",
        "Value sets of the tables.",
        grid(
            ("value set", "kind", "terms", "source"),
            (
                (link(escape(name), f"{name}.html"), _kind(terms), str(len(terms.rows)), escape(terms.source))
                for name, (terms, _) in sorted(sets.items())
            ),
        ),
    )
    for name, (terms, rows) in sorted(sets.items()):
        yield _terms_page(bench, name, terms, rows)


def _terms_page(bench: Workbench, name: str, terms: Terms, rows: Sequence[Row]) -> Page:
    used = {row.tag: row.name for row in rows}
    return page(
        f"terms/{name}",
        f"Terms {name}",
        f"The terms of {name} in DICOM, FHIR and HL7 v2.",
        facts(
            (
                ("Kind", _kind(terms)),
                ("Source", escape(terms.source)),
                ("CodeSystem in FHIR", code(terms.fhir_system)),
                ("Coding system in HL7 v2", code(terms.hl7v2_system)),
                (
                    "Attributes",
                    ", ".join(
                        link(escape(text), f"../attributes/{tag}.html") if tag in bench.pages else escape(text)
                        for tag, text in used.items()
                    ),
                ),
            )
        ),
        grid(
            ("DICOM", "FHIR", "HL7 v2", "display", "definition"),
            (
                (
                    code(term.dicom),
                    code(term.fhir),
                    code(term.hl7v2),
                    escape(term.display),
                    escape(term.definition) + (" (read, never written)" if term.read_only else ""),
                )
                for term in terms.rows
            ),
        ),
    )


def _kind(terms: Terms) -> str:
    return "Defined Terms (open)" if terms.is_open else "Enumerated Values (closed)"
