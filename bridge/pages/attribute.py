"""The page of an attribute: what it is, and where it stands. The wires and the practice are sections of their own."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from bridge.explain import MAY_BE_ABSENT
from bridge.lineage.meanings import Meanings
from bridge.pages import practice, wires
from bridge.pages.history import changes, excerpt, is_checkout
from bridge.pages.markup import Page, block, code, facts, grid, heading, humps, link, listed, page, said, spoken, tag_of
from bridge.pages.subject import Subject, above
from bridge.pages.workbench import Workbench
from bridge.tables import dictionary
from bridge.tables.rows import Group, Row, Terms


def attribute_page(bench: Workbench, subject: Subject) -> Page:
    """Return the page of an attribute."""
    known = subject.known
    about = known.definition or f"{known.name}, VR {known.vr}: FHIR, HL7 v2, clouds, errors and tested examples."
    parts = (
        *_head(subject),
        *_places(bench, subject),
        *_terms(subject),
        *wires.sections(bench, subject),
        *practice.sections(bench, subject),
        *_row(subject),
        *_history(subject),
        *_elsewhere(subject),
    )
    return page(f"attributes/{subject.tag}", subject.title, about, *parts)._replace(words=_words(subject, about))


def _words(subject: Subject, about: str) -> str:
    """Return what the search finds the page by: names and terms, and not its many lines of code."""
    rows = [row for row in subject.rows if isinstance(row, Row) and row.terms]
    terms = (term.dicom for row in rows if row.terms for term in row.terms.rows)
    ids = (row.id for row in subject.rows)
    trouble = subject.known.trouble
    return " ".join(dict.fromkeys((subject.tag, subject.known.keyword, about, *ids, *terms, *trouble)))


def _head(subject: Subject) -> Iterator[str]:
    known = subject.known
    units = _units(subject)
    yield facts(
        (
            ("Keyword", humps(known.keyword)),
            ("VR", escape(known.vr)),
            ("VM", escape(known.vm)),
            *([("Unit", f"{', '.join(map(code, units))} (UCUM)")] if units else []),
            ("Type", ", ".join(dict.fromkeys(row.type for row in known.rows if row.type)) or "sequence"),
            ("Dictionary", f"DICOM {escape(known.edition)}{', retired' if known.is_retired else ''}"),
            ("In tables", ", ".join(_table(name) for name in dict.fromkeys(row.table for row in known.rows))),
        )
    )
    yield heading("Definition", "definition")
    if known.definition:
        yield said(spoken(known.definition))
    clauses = ", ".join(dict.fromkeys(row.source for row in known.rows if row.source))
    if not known.definition:
        yield said(f"{_in_words(subject)} Its definition is in {escape(clauses)} of the standard.")
    if known.occurs:
        yield said(spoken(known.occurs))
    if known.trouble:
        yield heading("Known trouble", "trouble", 3)
        yield listed(map(spoken, known.trouble))


def _in_words(subject: Subject) -> str:
    """Return what the dictionary and the tables say of an attribute that nobody described."""
    known = subject.known
    kind = f"a sequence ({known.vr})" if known.vr == "SQ" else f"a value of VR {known.vr}"
    units = _units(subject)
    unit = f", in {', '.join(units)} (UCUM)" if units else ""
    homes = {path[-2].name for path in subject.paths if len(path) > 1}
    where = f" of the {escape(', the '.join(sorted(homes)))}" if homes else " of the plan itself"
    return f"{escape(known.name)} is {kind}{unit}{where}."


def _units(subject: Subject) -> list[str]:
    return sorted({row.hl7v2.unit for row in subject.rows if isinstance(row, Row) and row.hl7v2.unit})


def _table(name: str) -> str:
    return link(escape(name), f"../tables/{name}.html")


def _places(bench: Workbench, subject: Subject) -> Iterator[str]:
    yield heading("Where it stands", "where")
    yield grid(
        ("path", "type", "values", "module", "table"),
        (
            (
                _path(bench, path_row),
                row.type,
                escape(row.values),
                escape(row.source),
                f"{_table(row.table)} {escape(row.version)}",
            )
            for row, path_row in zip(subject.known.rows, subject.paths, strict=True)
        ),
    )
    classes = dict.fromkeys(row.occurs.partition(":")[0] for row in subject.known.rows)
    yield said(f"The tables apply to: {escape('; '.join(classes))}. Elsewhere it is not read by these rows.")
    if any(row.type == MAY_BE_ABSENT for row in subject.known.rows):
        yield said(f"{MAY_BE_ABSENT}: it may be absent. The tables do not hold the standard's conditions (1C, 2C).")


def _path(bench: Workbench, path: tuple[Row | Group, ...]) -> str:
    steps = []
    for member in path:
        name = f"{escape(member.name)} {tag_of(member.tag)}"
        is_self = member is path[-1]
        steps.append(f"<strong>{name}</strong>" if is_self else link(name, f"{member.tag}.html"))
        if not is_self and member.tag not in bench.pages:
            steps[-1] = name
    for tag in above(path)[len(path) - 1 :]:  # a sequence without a group: its first item alone is read
        known = dictionary.attribute(tag)
        steps.insert(-1, f"{escape(known.name) if known else ''} {tag_of(tag)}, first item")
    return " › ".join(steps)


def _terms(subject: Subject) -> Iterator[str]:
    sets = {row.terms.id: row.terms for row in subject.rows if isinstance(row, Row) and row.terms}
    for terms in sets.values():
        kind = "Defined Terms" if terms.is_open else "Enumerated Values"
        yield heading(
            kind if len(sets) == 1 else f"{kind}: {terms.id}", f"terms-{terms.id}" if len(sets) > 1 else "terms"
        )
        rule = (
            "Others are legal: a well-formed term that is not listed passes through, with `value.unknown-term`."
            if terms.is_open
            else "No other value is legal: one that is not listed is an error."
        )
        yield said(spoken(rule))
        yield _term_grid(terms, subject)
        yield said(f"Source: {escape(terms.source)}. {link('All of this value set', f'../terms/{terms.id}.html')}.")


def _term_grid(terms: Terms, subject: Subject) -> str:
    known = Meanings(subject.bridge.tables)
    directions = known.terms if known.term == subject.tag else {}
    has_direction = bool(directions)
    head = ("term", "meaning", *(("this plan → the other", "what does not follow") if has_direction else ()))
    rows = []
    for term in terms.rows:
        note = " (read, never written)" if term.read_only else ""
        row = [code(term.dicom), escape(term.definition or term.display) + note]
        if has_direction:
            one = directions.get(term.dicom)
            row += (
                [f"<strong>{escape(one.says)}</strong>; back: {escape(one.back)}", f"that {escape(one.excludes)}"]
                if one
                else ["", ""]
            )
        rows.append(row)
    return grid(head, rows)


def _row(subject: Subject) -> Iterator[str]:
    yield heading("The row in the table", "row")
    yield said(
        "This is all that the code knows of the attribute. A site table can override it: "
        f"{link('add a term of your own', '../guides/site-table.html')}."
    )
    for member in subject.rows:
        found = excerpt(member)
        if found:
            text = f"Lines {found.first} to {found.last} of {code(f'mappings/{found.document}')}"
            yield said(text)
            yield block(found.text, "yaml", file=found.document, line=str(found.first))
    if not any(map(excerpt, subject.rows)):
        yield said("The row is in a table that is not shipped.")


def _history(subject: Subject) -> Iterator[str]:
    yield heading("History", "history")
    if not is_checkout():
        yield said("Left out: this site was not built in a checkout, so there is no git to ask.")
        return
    found = {change: None for member in subject.rows for part in [excerpt(member)] if part for change in changes(part)}
    if not found:
        yield said("The rows have not been committed yet.")
        return
    ordered = sorted(found, key=lambda change: change.date, reverse=True)
    yield said("Commits that the lines above are from, newest first.")
    yield grid(("date", "commit", "what"), ((one.date, code(one.commit), escape(one.subject)) for one in ordered))


def _elsewhere(subject: Subject) -> Iterator[str]:
    """What a published page says of the attribute, and what is so."""
    claims = practice.claims(subject.known.keyword)
    if claims:
        yield heading("What is said elsewhere", "elsewhere")
        yield said("A published reference page on this attribute says the left; the right was checked here.")
        yield grid(("it says", "it is"), ((spoken(one["says"]), spoken(one["is"])) for one in claims))
