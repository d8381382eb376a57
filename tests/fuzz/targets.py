"""What is called with a broken document, and what must hold: no crash, no hang, no patient's name, and nothing unreadable written."""

from __future__ import annotations

import hashlib
import re
import signal
import tempfile
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import bridge
from bridge.issues import BridgeError
from tests.fuzz.mutations import broken
from tests.fuzz.seeds import CANARY, FORMATS, WORDS, seeds
from tests.safety import attempt, homeless

HANG = 20  # seconds; a document takes milliseconds
#: The name of a JSON member is no value: it is part of the path, also when a mutation put a patient into it.
_AS_A_NAME = re.compile(rb'"[^"]*%s[^"]*"\s*:' % CANARY.encode())
TARGETS = ("fhir", "hl7v2", "dicom", "dicom-json")
INTO = "into-"  # a broken document of the format behind it is written into
FUZZERS = (*FORMATS, *[INTO + name for name in TARGETS])


class Problem(NamedTuple):
    """A document that the bridge did not stand: which one, how it was called, and what happened."""

    source: str
    number: int
    document: bytes
    options: dict[str, Any]
    what: str

    def saved(self, folder: Path) -> Path:
        """Write the document and the story beside it; return the document's path."""
        folder.mkdir(parents=True, exist_ok=True)
        name = f"{self.source}-{hashlib.sha256(self.document).hexdigest()[:12]}"
        path = folder / f"{name}.bin"
        path.write_bytes(self.document)
        (folder / f"{name}.txt").write_text(
            f"{self.source} no. {self.number}, options {self.options!r}\n\n{self.what}\n", encoding="utf-8"
        )
        return path


class Hang(BaseException):
    """A call took far too long; no ``except Exception`` may swallow it."""


@contextmanager
def _deadline() -> Iterator[None]:
    """Raise :class:`Hang` in a call that does not come back (main thread of a system with SIGALRM only)."""
    if not hasattr(signal, "SIGALRM"):
        yield
        return

    def stop(*_: object) -> None:
        raise Hang

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, HANG)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _options(chance: Random) -> dict[str, Any]:
    mode = chance.choice(("", "", "", "", "lenient", "strict"))
    return {
        "to": chance.choice(TARGETS),
        "unmapped": chance.choice(("report", "report", "report", "carry", "carry", "reject")),
        "keep_going": chance.random() < 0.6,
        **({mode: True} if mode else {}),
        **({"profile": "rad28"} if chance.random() < 0.2 else {}),
        **({"resource": "service-request"} if chance.random() < 0.2 else {}),
        **({"fhir_release": "R5"} if chance.random() < 0.2 else {}),
        **({"hl7_version": "2.3"} if chance.random() < 0.2 else {}),
        **({"scan": False} if chance.random() < 0.2 else {}),
        "written_into": chance.random() < 0.3,
    }


def _options_into(source: str, chance: Random) -> dict[str, Any]:
    """Return options with a good document to translate: the name of its format, and its number."""
    good = chance.choice(TARGETS)
    options = {"source": good, "seed": chance.randrange(len(seeds(good))), **_options(chance)}
    return {**options, "to": source.removeprefix(INTO), "written_into": True}


def _translation(translator: Any, source: str, document: bytes, options: dict[str, Any]) -> Any:
    """Translate, write the result out, and read what was written."""
    options = dict(options)
    target, into = options["to"], None
    is_into = options.pop("written_into")
    if source.startswith(INTO):
        source, into = options.pop("source"), document
        document = seeds(source)[options.pop("seed")]
    elif is_into:
        into = seeds(target)[0]
    result = translator.translate(document, source=source, into=into, **options)
    if not result.ledger.is_balanced:
        raise AssertionError("the ledger does not balance")
    written = result.to_bytes()
    if written and not result.has_errors and not result.has_nothing:
        _reads_back(translator, written, target)
    return result


def _reads_back(translator: Any, written: bytes, target: str) -> None:
    try:
        translator.translate(written, source=target, to=target, keep_going=True, unmapped="carry")
    except BridgeError as error:
        raise AssertionError(f"what was written without an error cannot be read: {error}") from None


def _table(document: bytes) -> Any:
    """Load a table, as a file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "fuzzed.yaml"
        path.write_bytes(document)
        return bridge.load(path)


def _problem(call: Callable[[], Any], document: bytes) -> str:
    """Return what is wrong with how a call ended, or the empty string."""
    try:
        with _deadline():
            tried = attempt(call, measured=False)
    except Hang:
        return f"no answer after {HANG} s"
    except Exception:
        return traceback.format_exc(limit=-12)
    if any(CANARY in text for text in tried.said) and not _AS_A_NAME.search(document):
        return "the name of the patient was said:\n" + next(text for text in tried.said if CANARY in text)
    if tried.bugs:
        return "\n".join(tried.bugs)
    if homeless(tried.issues):
        return f"errors that say nowhere: {homeless(tried.issues)}"
    return "" if tried.error is None or tried.issues else "an error without an issue"


def examine(translator: Any, source: str, number: int, document: bytes, options: dict[str, Any]) -> Problem | None:
    """Run one document; return what went wrong, or None."""
    call = (
        (lambda: _table(document))
        if source == "yaml"
        else (lambda: _translation(translator, source, document, options))
    )
    what = _problem(call, document)
    return Problem(source, number, document, options, what) if what else None


def run(source: str, numbers: Iterator[int], seed: int = 1) -> Iterator[Problem | None]:
    """Yield the outcome of one broken document after another; a number and a seed always make the same one."""
    translator = bridge.load()
    for number in numbers:
        chance = Random(f"{seed}/{source}/{number}")
        kind = source.removeprefix(INTO)
        document = broken(kind, seeds(kind), WORDS[kind], chance)
        options = _options_into(source, chance) if source.startswith(INTO) else _options(chance)
        yield examine(translator, source, number, document, options)
