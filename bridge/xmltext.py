"""XML as native DICOM XML and FHIR XML need it (XML 1.0), read strictly; ``bridge.xmlwriting`` is the other half.

Sizes are counted before the parser runs, depth and elements while it runs, before anything is kept. A document type is
refused, so there are no entities to expand and nothing to fetch (XXE, entity bombs). Every element knows where it
stands, so what is not touched can be written as it was. No fault is reported with content.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple, NoReturn
from xml.parsers import expat  # the parser alone; everything it offers beyond elements and text is switched off below

from bridge.issues import Finding, Unreadable, refuse
from bridge.limits import DEFAULT, Limits

XMLNS = "http://www.w3.org/XML/1998/namespace"
_BOM = b"\xef\xbb\xbf"
_DECLARATION = re.compile(rb"<\?xml[^>]*?\?>")
_ENCODING = re.compile(rb"""encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
_TAG_END = re.compile(rb"""<(?:[^>"']|"[^"]*"|'[^']*')*>""")
_CODECS = ("utf-8", "ascii", "latin-1", "cp1252", "tis-620", *(f"iso8859-{part}" for part in range(1, 17)))
_SPACE = " \t\r\n"
_CUT_SHORT = {expat.errors.XML_ERROR_NO_ELEMENTS, expat.errors.XML_ERROR_UNCLOSED_TOKEN}


class Node:
    """One element.

    Attributes:
        space, name: Its namespace, and its name in it.
        attributes: By name; those of another namespace as ``{namespace}name``.
        children: The elements in it.
        text: The characters directly in it.
        prefixes: Namespaces that it declares for others, by prefix.
        start, stop: Where it is in the bytes.
    """

    __slots__ = ("attributes", "children", "name", "prefixes", "space", "start", "stop", "text")

    def __init__(self, space: str, name: str, attributes: dict[str, str], prefixes: dict[str, str], start: int) -> None:
        self.space, self.name, self.attributes, self.prefixes = space, name, attributes, prefixes
        self.children: list[Node] = []
        self.text = ""
        self.start = self.stop = start

    def named(self, name: str) -> Iterator[Node]:
        """Yield the children of a name."""
        return (child for child in self.children if child.name == name)

    @property
    def is_blank(self) -> bool:
        """Whether there is nothing but white space between its children."""
        return not self.text.strip(_SPACE)


class Parsed(NamedTuple):
    """What a text holds.

    Attributes:
        root: The document element.
        data: The text in UTF-8, to which the places of elements refer.
        findings: What does not hinder reading: ``input.bom``.
        asides: Where comments and processing instructions stand.
    """

    root: Node
    data: bytes
    findings: tuple[Finding, ...]
    asides: tuple[int, ...]

    def source(self, node: Node) -> bytes:
        """Return an element as it was written."""
        return self.data[node.start : node.stop]


def parse(document: bytes | str, limits: Limits = DEFAULT) -> Parsed:
    """Return the elements of an XML text.

    The limits are those of JSON texts; ``json_members`` is for elements and attributes together.

    Raises:
        Unreadable: ``input.empty``, ``input.too-large``, ``input.charset``, ``input.document-type``,
            ``input.too-deep``, ``input.too-many``, ``input.malformed``, ``input.truncated``, ``input.trailing``.
    """
    data, findings = _utf8(document, limits)
    return _Builder(data, limits).built(findings)


def _utf8(document: bytes | str, limits: Limits) -> tuple[bytes, tuple[Finding, ...]]:
    """Return a text in UTF-8 without a byte order mark."""
    try:
        data = document.encode() if isinstance(document, str) else document
    except UnicodeEncodeError as error:
        raise refuse("input.charset", detail="the text holds a lone surrogate", offset=error.start) from None
    if len(data) > limits.json_bytes:
        raise refuse("input.too-large", detail=f"the text is longer than {limits.json_bytes} bytes")
    findings: tuple[Finding, ...] = ()
    if data.startswith(_BOM):
        data, findings = data[3:], (Finding("input.bom", offset=0),)
    if not data.strip():
        raise refuse("input.empty")
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in data[:4]:
        raise refuse("input.charset", detail="the text is UTF-16 or UTF-32; send UTF-8", offset=0)
    declared = _DECLARATION.match(data)
    named = _ENCODING.search(declared[0]) if declared and isinstance(document, bytes) else None
    codec = named[1].decode().lower() if named else "utf-8"
    codec = re.sub(r"^iso-8859", "iso8859", codec).replace("us-ascii", "ascii")
    if codec not in _CODECS:
        raise refuse("input.charset", detail="the declared encoding is not read; send UTF-8", offset=0)
    try:
        text = data.decode(codec)
    except UnicodeDecodeError as error:
        raise refuse("input.charset", detail="the text is not in its declared encoding", offset=error.start) from None
    return (data if codec == "utf-8" else text.encode()), findings


class _Builder:
    """Builds the tree while the parser runs."""

    def __init__(self, data: bytes, limits: Limits) -> None:
        self._data, self._limits, self._left = data, limits, limits.json_members
        self._open: list[Node] = []
        self._root: Node | None = None
        self._prefixes: dict[str, str] = {}
        self._asides: list[int] = []
        self._parser = parser = expat.ParserCreate("utf-8", " ")
        parser.buffer_text = True
        parser.ordered_attributes = True
        parser.StartElementHandler, parser.EndElementHandler = self._start, self._end
        parser.CharacterDataHandler = self._text
        parser.CommentHandler = self._aside
        parser.ProcessingInstructionHandler = self._aside
        parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = self._doctype
        parser.StartNamespaceDeclHandler = self._prefix

    def built(self, findings: tuple[Finding, ...]) -> Parsed:
        try:
            self._parser.Parse(self._data, True)
        except expat.ExpatError as error:
            raise self._fault(error) from None
        assert self._root is not None
        return Parsed(self._root, self._data, findings, tuple(self._asides))

    def _start(self, name: str, attributes: list[str]) -> None:
        if len(self._open) >= self._limits.json_depth:
            raise refuse("input.too-deep", detail=f"nested deeper than {self._limits.json_depth} levels")
        self._left -= 1 + len(attributes) // 2
        if self._left < 0:
            raise refuse("input.too-many", detail=f"more than {self._limits.json_members} elements and attributes")
        space, _, local = name.rpartition(" ")
        found = dict(zip(map(_attribute_name, attributes[::2]), attributes[1::2], strict=True))
        node = Node(space, local, found, self._prefixes, self._parser.CurrentByteIndex)
        self._prefixes = {}
        if self._open:
            self._open[-1].children.append(node)
        else:
            self._root = node
        self._open.append(node)

    def _end(self, _name: str) -> None:
        node, at = self._open.pop(), self._parser.CurrentByteIndex
        tag = _TAG_END.match(self._data, node.start if not node.children and not node.text else at)
        if tag and at > node.start and tag.start() == node.start and self._data[tag.end() - 2] != 0x2F:  # no "/>"
            tag = _TAG_END.match(self._data, at)
        node.stop = tag.end() if tag else at

    def _text(self, text: str) -> None:
        node = self._open[-1]
        node.text = node.text + text if node.text else text

    def _aside(self, *_content: str) -> None:
        self._asides.append(self._parser.CurrentByteIndex)

    def _prefix(self, prefix: str | None, uri: str) -> None:
        if prefix:
            self._prefixes[prefix] = uri

    def _doctype(self, *_declaration: object) -> NoReturn:
        raise refuse("input.document-type", offset=self._parser.CurrentByteIndex)

    def _fault(self, error: expat.ExpatError) -> Unreadable:
        """Return the finding for a syntax error; the parser's own messages hold no content."""
        message = expat.errors.messages[error.code]
        code = "input.malformed"
        if message == expat.errors.XML_ERROR_JUNK_AFTER_DOC_ELEMENT:
            code = "input.trailing"
        elif message in _CUT_SHORT or self._parser.ErrorByteIndex >= len(self._data.rstrip()):
            code = "input.truncated"
        detail = f"not XML: {message} (line {error.lineno}, column {error.offset + 1})"
        return refuse(code, detail=detail, offset=max(self._parser.ErrorByteIndex, 0))


def _attribute_name(name: str) -> str:
    space, _, local = name.rpartition(" ")
    return f"{{{space}}}{local}" if space else local


def root_of(data: bytes) -> tuple[str, str]:
    """Return namespace and name of the document element of bytes that start like XML, as far as can be seen."""
    head = data[:4096]
    tag = re.search(rb"<(?![?!])(?:([\w.-]+):)?([\w.-]+)([^>]*)", head)
    if not tag:
        return "", ""
    mark = rb"xmlns:" + re.escape(tag[1]) if tag[1] else rb"xmlns"
    space = re.search(rb"\s" + mark + rb"""\s*=\s*["']([^"']*)["']""", tag[3])
    return (space[1].decode("ascii", "replace") if space else ""), tag[2].decode("ascii", "replace")
