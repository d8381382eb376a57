"""Every script of the channels and code templates is ES5, and holds nothing that fails only in the engine."""

from __future__ import annotations

from xml.etree.ElementTree import fromstring

import pytest

from bridge.mirth.files import files
from bridge.mirth.site import Site
from bridge.tables import builtin
from tests.interfaces.mirth import es5

SITES = {
    "as shipped": Site(),
    "with everything": Site(key_name="bridgeKey", fhir_server="https://fhir.example/ImagingStudy", hl7_receiver="ris.example:2575", fhir_release="R5"),
}  # fmt: skip
_HOLDERS = (
    "script",
    "code",
    "preprocessingScript",
    "postprocessingScript",
    "deployScript",
    "undeployScript",
    "batchScript",
)
SCRIPTS = [
    pytest.param(element.text, id=f"{name}, {site}, {element.tag} {number}")
    for site, settings in SITES.items()
    for name, text in files(settings, builtin.load()).items()
    for number, element in enumerate(fromstring(text).iter())
    if element.tag in _HOLDERS and element.text
]

BAD = [
    ("var a = `b`;", "template literal"),
    ("var f = a => a;", "arrow"),
    ("let a = 1;", "let or const"),
    ("const a = 1;", "let or const"),
    ("class A {}", "class"),
    ("f(...a);", "spread"),
    ("var b = a?.c;", "optional chaining"),
    ("var b = a ?? c;", "nullish"),
    ("var b = a ** 2;", "power"),
    ("function f(a = 1) {}", "default parameter"),
    ("function f(a,) {}", "comma"),
    ("f(a,\n  b,\n);", "comma"),
    ("var {a} = b;", "destructuring"),
    ("var [a] = b;", "destructuring"),
    ("for (var a of b) {}", "for ... of"),
    ("for each (var a in b) {}", "for each"),
    ("async function f() {}", "async"),
    ("var a = { b() { } };", "short form"),
    ("var a = { b, c: 1 };", "short form"),
    ("var a = { b: 1, c };", "short form"),
    ("var u = new java.net.URL(a).openConnection();", "HttpURLConnection"),
    ("importClass(java.net.HttpURLConnection);", "HttpURLConnection"),
    ("var c = Packages['java.net.http'].HttpClient;", "java.net.http"),
    ("Object.values(a);", "Object.values"),
    ("Object.entries(a);", "Object.values"),
    ("fetch('x');", "browser"),
    ("setTimeout(f, 1);", "browser"),
    ("require('x');", "browser"),
    ("new Promise(f);", "Promise"),
    ("var m = new Map();", "Promise"),
    ("a.includes('b');", "method of ES6"),
    ("a.padStart(2);", "method of ES6"),
    ("Array.from(a);", "function of ES6"),
    ("var a = '\u00e4';", "not ASCII"),
]
GOOD = [
    "// `let` in a comment, and a => b",
    "/* const a = 1; fetch(x) */ var a = 1;",
    "var a = 'let x = `y` => ...';",
    'var a = "class ?? ?.";',
    r"var a = /[`=>]+\/let/.test(b);",
    "var a = b ? .5 : 1;",
    "var a = { b: 1, c: function (d) { return d; } };",
    "var a = [b, c]; f(a[0], b);",
    "if (a) { b(); } else if (c) { d(); }",
    "var a = (b + c) / 2, d = 4 / 2;",
    "f(a, b, c);",
    "function f(a, b) { if (a) { return; } for (;;) { b(); } }",
    "function f(a, b) { return { a: a, b: b }; }",
]


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_that_ships_is_es5(script: str) -> None:
    assert es5.faults(script) == []


def test_there_are_scripts() -> None:
    assert len(SCRIPTS) > 40


@pytest.mark.parametrize(("script", "fault"), BAD, ids=[script for script, _ in BAD])
def test_what_the_engine_does_not_take_is_found(script: str, fault: str) -> None:
    assert any(fault in found for found in es5.faults(script)), es5.faults(script)


@pytest.mark.parametrize("script", GOOD)
def test_what_the_engine_takes_is_let_through(script: str) -> None:
    assert es5.faults(script) == []
