"""What a script for the engine must not hold: what its Rhino (1.7.12, 1.7.13) takes otherwise, or not at all.

Debian's Rhino is newer and more lenient, so running a script proves less than this.
"""

from __future__ import annotations

import re

_AFTER_VALUE = re.compile(r"[\w$)\]]\s*\Z")
_KEYWORD = re.compile(r"\b(?:return|typeof|case|in|of|delete|void|throw|new)\s*\Z")

#: In the code without strings, regular expressions and comments.
SYNTAX = {
    "a template literal, which is taken literally without an error": "`",
    "an arrow function": "=>",
    "let or const": r"\b(?:let|const)\b",
    "a class": r"\bclass\b",
    "spread or rest": r"\.\.\.",
    "optional chaining": r"\?\.(?!\d)",
    "nullish coalescing": r"\?\?",
    "a power operator": r"\*\*",
    "a default parameter": r"\bfunction\b\s*\w*\s*\([^)]*=",
    "a comma after the last parameter or argument": r",\s*\)",
    "destructuring": r"\bvar\s*[\[{]|\bfunction\b\s*\w*\s*\([^)]*[\[{]",
    "for ... of": r"\bfor\s*\([^;)]*\bof\b",
    "for each, which only Rhino has": r"\bfor\s+each\b",
    "async, await, generators or modules": r"\b(?:async|await|yield|import|export)\b|\bfunction\s*\*",
    "a binary or octal literal of ES6": r"\b0[bBoO]\d",
    "a method or getter in short form": r"[{,]\s*(?:get |set )?(?!(?:if|for|while|switch|catch|with|function)\b)\w+\s*\([^)]*\)\s*\{",
    "a property in short form": r"\{(?:[^{}()\[\];]*,)?\s*\w+\s*[,}]",
}
#: In the code with its strings.
NAMES = {
    "java.net.HttpURLConnection, which Java 17 refuses": r"HttpURLConnection|java\.net\.URL\b|openConnection",
    "java.net.http, which Java 17 refuses": r"java\.net\.http",
    "Object.values, entries, assign or fromEntries": r"\bObject\.(?:values|entries|assign|fromEntries|is)\b",
    "what a browser has": r"\b(?:fetch|setTimeout|setInterval|require)\s*\(|XMLHttpRequest|\bwindow\.|\bdocument\.|\bconsole\.",
    "Promise, Symbol, Proxy, Reflect, Map or Set": r"\b(?:Promise|Symbol|Proxy|Reflect|WeakMap|WeakSet)\b|\bnew (?:Map|Set)\b",
    "a method of ES6": r"\.(?:includes|startsWith|endsWith|padStart|padEnd|repeat|find|findIndex|flat|flatMap|fill|matchAll|replaceAll|at)\s*\(",
    "a function of ES6": r"\b(?:Array\.(?:from|of)|Number\.is\w+|String\.(?:raw|fromCodePoint))\b",
    "a class of Java that differs between engines": r"\b(?:sun|jdk|javax\.xml\.bind)\.",
}


def faults(script: str) -> list[str]:
    """Return what ``script`` has that it must not have."""
    code, bare = _without_comments(script)
    found = [name for name, pattern in SYNTAX.items() if re.search(pattern, bare)]
    found += [name for name, pattern in NAMES.items() if re.search(pattern, code)]
    return found + ["text that is not ASCII"] * (not script.isascii())


def _without_comments(script: str) -> tuple[str, str]:
    """Return the code without comments, and also without what is in strings and regular expressions."""
    code, bare, at = "", "", 0
    while at < len(script):
        rest = script[at:]
        if found := re.match(r"//[^\n]*|/\*.*?\*/", rest, re.DOTALL):
            pass
        elif found := re.match(r"'(?:\\.|[^'\\\n])*'|\"(?:\\.|[^\"\\\n])*\"", rest):
            code, bare = code + found[0], bare + "''"
        elif (
            rest[0] == "/"
            and _is_expression(bare)
            and (found := re.match(r"/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n\[])+/\w*", rest))
        ):
            code, bare = code + found[0], bare + "0"
        else:
            code, bare, at = code + rest[0], bare + rest[0], at + 1
            continue
        at += len(found[0])
    return code, bare


def _is_expression(before: str) -> bool:
    """Whether a slash after ``before`` begins a regular expression, and does not divide."""
    return not _AFTER_VALUE.search(before) or bool(_KEYWORD.search(before))
