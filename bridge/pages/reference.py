"""Pages of reference: the issues, the conformance statement, the commands, the Python interface."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import is_dataclass
from html import escape
from typing import Any

import bridge
from bridge.issues import Entry
from bridge.package.conformance import PAGES
from bridge.package.conformance import page as statement
from bridge.package.pages import markdown
from bridge.pages.markup import Page, code, grid, heading, link, page, said, sentence, tag_of
from bridge.pages.workbench import Workbench


def issue_pages(bench: Workbench, families: Mapping[str, str]) -> Iterator[Page]:
    """Yield the list of families, and a page for each with its codes.

    Args:
        bench: Its ``shown`` says which attributes' pages have an input for a code.
        families: Name of each family to what its codes have in common.
    """
    entries = list(bench.bridge.catalogue.entries.values())
    known = list(dict.fromkeys(entry.code.partition(".")[0] for entry in entries))
    yield page(
        "issues/index",
        "Issues",
        "Every code that the bridge answers with.",
        said(
            "Every finding has a code that stays the same, a severity that depends on the mode, and a remedy. "
            "An error stops the output unless the caller keeps going."
        ),
        grid(
            ("code", "what", "severity"),
            (
                (
                    link(code(one.code), f"{one.code.partition('.')[0]}.html#{_anchor(one)}"),
                    escape(one.title),
                    str(one.severity),
                )
                for one in entries
            ),
        ),
    )
    for family in known:
        mine = [entry for entry in entries if entry.code.partition(".")[0] == family]
        about = families.get(family, "").replace("`", "")
        yield page(f"issues/{family}", f"Issues: {family}", about, said(escape(f"{about}.")), *_entries(bench, mine))


def _anchor(entry: Entry) -> str:
    return entry.code.replace(".", "-")


def _entries(bench: Workbench, entries: list[Entry]) -> Iterator[str]:
    for entry in entries:
        yield heading(entry.code, _anchor(entry))
        yield said(sentence(entry.title))
        shown = bench.shown.get(entry.code, [])
        rows = [
            ("Remedy", sentence(entry.remedy)),
            ("Severity", f"{entry.severity}; strict: {entry.strict}; lenient: {entry.lenient}"),
            ("Exit code", str(entry.exit)),
            ("HTTP", str(entry.http)),
            ("OperationOutcome", code(entry.fhir)),
            ("HL7 table 0357", code(entry.hl7v2)),
        ]
        if shown:
            few = ", ".join(link(tag_of(tag), f"../attributes/{tag}.html#error-{_anchor(entry)}") for tag in shown[:8])
            rest = f" and {len(shown) - 8} more" if len(shown) > 8 else ""
            rows.append(("Inputs that give it", few + rest))
        yield grid(("", ""), ((f"<strong>{name}</strong>", text) for name, text in rows), kind="statements")


def conformance_pages(bench: Workbench) -> Iterator[Page]:
    """Yield the conformance statement and its parts."""
    names = {"statement": "conformance", "hl7-tables": "conformance-hl7-tables", "obx-profile": "conformance-obx"}
    for kind in PAGES:
        text = markdown(statement(bench.frame, kind))
        title, _, body = text.removeprefix("# ").partition("\n")
        yield page(names[kind], title, "Generated from the tables.", body)


def api_page() -> Page:
    """Return the page of the public Python interface, made of its docstrings."""
    parts = []
    for name in sorted(bridge.__all__):
        if name.startswith("__"):
            continue
        thing = getattr(bridge, name)
        parts += [heading(name, name.lower()), _signature(name, thing), _docs(thing)]
        if inspect.isclass(thing):
            for inner, method in sorted(vars(thing).items()):
                if not inner.startswith("_") and (inspect.isfunction(method) or isinstance(method, property)):
                    parts += [heading(f"{name}.{inner}", f"{name}-{inner}".lower(), 3)]
                    parts += [_signature(f"{name}.{inner}", method), _docs(method)]
    return page("api", "Python", "The public classes and functions of bridge.", _docs(bridge, skip_code=True), *parts)


def _signature(name: str, thing: object) -> str:
    if isinstance(thing, property) or (inspect.isclass(thing) and not inspect.isfunction(thing.__init__)):
        return ""
    try:
        found = inspect.signature(thing)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return ""
    given = [one.replace(annotation=_Bare(one.annotation), default=_default(one)) for one in found.parameters.values()]
    returned = _Bare(found.return_annotation)
    return said(code(f"{name}{found.replace(parameters=given, return_annotation=returned)}"))


class _Bare:
    """An annotation as the source has it, without the quotes of a text."""

    def __new__(cls, annotation: object) -> Any:
        return super().__new__(cls) if isinstance(annotation, str) else annotation

    def __init__(self, annotation: object) -> None:
        self.text = annotation

    def __repr__(self) -> str:
        return str(self.text)


def _default(parameter: inspect.Parameter) -> object:
    """Return a default that is told in a word: of a whole set of settings the name."""
    value = parameter.default
    return _Bare(f"{type(value).__name__}()") if is_dataclass(value) and not isinstance(value, type) else value


def _docs(thing: object, *, skip_code: bool = False) -> str:
    """Return a docstring as HTML: paragraphs, and the sections of Google's style as lists of definitions."""
    text = inspect.getdoc(thing) or ""
    out = []
    for paragraph in text.split("\n\n"):
        if paragraph.startswith(">>>"):
            if skip_code:
                continue
            out.append(_session(paragraph))
            continue
        head, _, rest = paragraph.partition("\n")
        if head.rstrip(":") in {"Args", "Returns", "Raises", "Attributes", "Yields"} and rest:
            if head.startswith("Returns"):
                out.append(said(f"<strong>{head}</strong> {_inline(' '.join(rest.split()))}"))
                continue
            pairs = _pairs(rest)
            out.append(
                f"<p><strong>{head}</strong></p>\n<dl>"
                + "".join(f"<dt>{n}</dt><dd>{t}</dd>" for n, t in pairs)
                + "</dl>\n"
            )
        else:
            out.append(said(_inline(" ".join(paragraph.split()))))
    return "".join(out)


def _session(text: str) -> str:
    return (
        f'<div class="run" data-run="python"><pre tabindex="0"><code>{escape(text, quote=False)}</code></pre></div>\n'
    )


def _pairs(text: str) -> list[tuple[str, str]]:
    pairs: list[list[str]] = []
    margin = len(text) - len(text.lstrip())
    for line in text.split("\n"):
        if len(line) - len(line.lstrip()) == margin:
            name, _, what = line.strip().partition(":")
            pairs.append([name, what.strip()])
        elif pairs:
            pairs[-1][1] += f" {line.strip()}"
    return [(code(name), _inline(what)) for name, what in pairs]


def _inline(text: str) -> str:
    parts = escape(text.replace("``", "`"), quote=False).split("`")
    return "".join(f"<code>{part}</code>" if number % 2 else part for number, part in enumerate(parts))
