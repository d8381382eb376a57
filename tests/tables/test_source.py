"""YAML text to nodes: text only, with places, and nothing that YAML can do beyond that."""

import pytest
import yaml

from bridge.issues import Unreadable
from bridge.limits import Limits
from bridge.tables import source
from bridge.tables.source import Cell, Keyed, Series, parse, plain


def faults(text: str | bytes, limits: Limits | None = None) -> list[tuple[int, int, str]]:
    data = text.encode() if isinstance(text, str) else text
    with pytest.raises(Unreadable) as caught:
        parse(data, "t.yaml", limits or Limits())
    assert all(finding.document == "t.yaml" for finding in caught.value.findings)
    return [(finding.line, finding.column, finding.code) for finding in caught.value.findings]


def test_every_node_has_its_place_keys_too():
    root = parse(b"a: 1\nlist:\n  - x\n  - {b: 'y'}\n", "t.yaml")
    assert isinstance(root, Keyed)
    assert root.spot == ("t.yaml", 1, 1)
    assert root.keys["list"].spot == ("t.yaml", 2, 1)
    assert root.nodes["a"].spot == ("t.yaml", 1, 4)
    inner = root.each("list")
    assert [node.spot for node in inner] == [("t.yaml", 3, 5), ("t.yaml", 4, 5)]
    assert isinstance(inner[1], Keyed)
    assert inner[1].nodes["b"] == Cell("y", is_quoted=True, spot=("t.yaml", 4, 9))


@pytest.mark.parametrize(
    "text",
    [
        "00100010",
        "300E0002",
        "NO",
        "yes",
        "on",
        "null",
        "~",
        ".nan",
        ".inf",
        "1e5",
        "0x1F",
        "2026-03-01",
        "1:30",
        "=",
        "1_000",
    ],
)
def test_a_plain_scalar_is_text_as_it_is_written(text):
    assert plain(parse(f"a: {text}".encode())) == {"a": text}


def test_quotes_are_remembered_and_not_part_of_the_text():
    root = parse(b"""{a: "1", b: '1', c: 1}""")
    assert isinstance(root, Keyed)
    assert [(cell.value, cell.is_quoted) for cell in map(root.cell, "abc") if cell] == [
        ("1", True),
        ("1", True),
        ("1", False),
    ]


def test_template_text_is_plain_text():
    text = "{{ 7*7 }} ${PATH} %(x)s {0.__class__}"
    assert plain(parse(f'a: "{text}"'.encode())) == {"a": text}


@pytest.mark.parametrize("text", ["\ufeffa: b\n", "a: b\r\n", "# only a comment before\n---\na: b\n...\n"])
def test_byte_order_mark_line_ends_and_one_document_are_fine(text):
    assert plain(parse(text.encode())) == {"a": "b"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [(1, 1, "table.schema")]),
        ("# nothing\n", [(1, 1, "table.schema")]),
        ("a: [b\n", [(2, 1, "table.syntax")]),
        ("rows:\n\t- id: x\n", [(2, 1, "table.syntax")]),
        ('x: "a\0b"\n', [(1, 6, "table.syntax")]),
        ("a: b\nx: \x85\n", [(2, 4, "table.syntax")]),
        ("a: b\n---\na: b\n", [(2, 1, "table.syntax")]),
        ("? {a: b}\n: c\n", [(1, 3, "table.syntax")]),
        (b"a: \xff\n", [(1, 4, "table.syntax")]),
        (b"\xff\xfea\x00", [(1, 1, "table.syntax")]),
        ("a: 1\nb: 2\na: 3\n", [(3, 1, "table.key-twice")]),
        ("a: &x 1\n", [(1, 4, "table.unsafe")]),
        ("a: *nope\n", [(1, 4, "table.unsafe")]),
        ("a: &a [*a]\n", [(1, 4, "table.unsafe"), (1, 8, "table.unsafe")]),
        ("a: !!str 1\n", [(1, 4, "table.unsafe")]),
        ("a: ! 1\n", [(1, 4, "table.unsafe")]),
        ("a: !!python/object/apply:os.system [echo hi]\n", [(1, 4, "table.unsafe")]),
        ("%TAG ! tag:x,2000:\n---\na: b\n", [(1, 1, "table.unsafe")]),
        ("a:\n  <<: {b: c}\n", [(2, 3, "table.unsafe")]),
    ],
)
def test_what_is_refused_is_refused_with_line_and_column(text, expected):
    assert faults(text) == expected


def test_both_lines_of_a_repeated_key_are_named():
    with pytest.raises(Unreadable) as caught:
        parse(b"a: 1\nb: 2\na: 3\n")
    assert "line 1 and again at line 3" in caught.value.findings[0].detail


def test_all_faults_of_a_text_are_reported_at_once():
    assert len(faults("a: &x 1\nb: *x\nb: !!int 2\n")) == 4


def laughs(levels: int) -> str:
    """Return an alias bomb of so many levels."""
    lines = ["a0: &a0 [x,x,x,x,x,x,x,x,x]"]
    lines += [f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 9)}]" for i in range(1, levels)]
    return "\n".join(lines)


@pytest.mark.parametrize("text", [laughs(9), "[" * 5000 + "]" * 5000, "{a: " * 5000 + "}" * 5000, "- " * 5000 + "x"])
def test_bombs_are_refused(text):
    """Done in full they would not end, and the time limit of the suite would say so."""
    assert {code for _, _, code in faults(text)} <= {"table.unsafe", "table.schema", "table.syntax"}


def nested(levels: int) -> str:
    return "[" * levels + "]" * levels


def test_depth_is_limited_while_reading():
    limits = Limits(yaml_depth=5)
    assert isinstance(parse(nested(5).encode(), "t.yaml", limits), Series)
    assert [code for _, _, code in faults(nested(6), limits)] == ["table.schema"]


def test_size_is_limited_before_reading():
    limits = Limits(yaml_bytes=10)
    assert plain(parse(b"a: 1234567", "t.yaml", limits)) == {"a": "1234567"}
    assert faults("a: 12345678", limits) == [(1, 1, "table.schema")]


def test_nodes_are_limited_before_the_whole_text_is_read():
    rows = "rows:\n" + "".join(f'  - {{id: r{i}, dicom: "300A0055"}}\n' for i in range(20_000))
    found = faults(rows, Limits(yaml_bytes=10_000_000, yaml_nodes=1000))
    assert found[0][2] == "table.schema"
    assert found[0][0] < 1000


def test_the_pure_python_parser_answers_alike(monkeypatch):
    monkeypatch.setattr(source, "_LOADER", yaml.SafeLoader)
    assert plain(parse(b"a: [1, 'b']\n")) == {"a": ["1", "b"]}
    root = parse(b"a: 'x'\nb: y\n")
    assert isinstance(root, Keyed)
    assert [cell.is_quoted for cell in map(root.cell, "ab") if cell] == [True, False]
    assert faults("a: &x 1\nb: *x\n") == [(1, 4, "table.unsafe"), (2, 4, "table.unsafe")]
    assert faults("a: !!str 1\n") == [(1, 4, "table.unsafe")]
    assert faults("[" * 5000)[0][2] == "table.schema"
