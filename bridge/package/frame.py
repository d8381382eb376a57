"""What every artifact of a package shares: release, canonical base, date, and the head of a conformance resource."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, cast
from urllib.parse import urlsplit

from bridge.tables.rows import Tables

Json = dict[str, Any]
_WORD = re.compile(r"[A-Za-z0-9]+").findall
_SUFFIX = {"CodeSystem": "CS", "ValueSet": "VS"}  # names tell the artifacts of one id apart
_UNFIT = re.compile(r"[^A-Za-z0-9.\-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One release of one set of tables.

    Attributes:
        tables: What the artifacts are generated from.
        release: ``R4``, ``R4B`` or ``R5``.
        version: Of the software that generates them, and of the package.
        date: Of the artifacts, ``2026-11-22``.
    """

    tables: Tables
    release: str
    version: str
    date: str

    @property
    def facts(self) -> Mapping[str, Any]:
        """Return what ``mappings/fhir.yaml`` says of packages."""
        return cast("Mapping[str, Any]", self.tables.fhir["package"])

    @property
    def edition(self) -> Mapping[str, Any]:
        """Return the release's own facts: version, core package, what else is needed."""
        return cast("Mapping[str, Any]", self.facts["releases"][self.release])

    @property
    def is_r5(self) -> bool:
        """Whether elements have the names of R5."""
        return self.release == "R5"

    @property
    def base(self) -> str:
        """Return the canonical base of the tables."""
        return str(self.tables.fhir["base"])

    @property
    def name(self) -> str:
        """Return the package's name: the base turned round, and the release (``org.w3id.dicom-bridge.r4``)."""
        parts = urlsplit(self.base)
        path = [part for part in parts.path.lower().split("/") if part and part != "fhir"]
        names = [*reversed((parts.hostname or parts.scheme).split(".")), *path, self.release.lower()]
        return ".".join(re.sub(r"[^a-z0-9\-]+", "-", name).strip("-") for name in names)

    def url(self, kind: str, name: str) -> str:
        """Return the canonical URL of one of our own resources."""
        return f"{self.base}/{kind}/{name}"

    def is_ours(self, url: str, kind: str) -> bool:
        """Whether a URL is the canonical one of a resource of ours."""
        return url.startswith(f"{self.base}/{kind}/")

    def head(self, kind: str, name: str, title: str, about: str, version: str = "") -> Json:
        """Return the elements that every conformance resource begins with."""
        head: Json = {
            "resourceType": kind,
            "id": id_of(name),
            "url": self.url(kind, id_of(name)),
            "version": version or self.version,
            "name": computable(name) + _SUFFIX.get(kind, ""),
            "title": title,
            "status": self.facts["status"],
            "experimental": False,
            "date": self.date,
            "publisher": self.facts["publisher"],
            "description": about,
        }
        if kind == "SearchParameter" and not self.is_r5:
            del head["title"]
        return head


def frame(tables: Tables, release: str, version: str) -> Frame:
    """Return the frame; the date is ``SOURCE_DATE_EPOCH``, or what the tables say."""
    seconds = os.environ.get("SOURCE_DATE_EPOCH", "")
    date = str(tables.fhir["package"]["date"])
    if seconds.isdigit():
        date = datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%d")
    return Frame(tables=tables, release=release, version=version, date=date)


def id_of(name: str) -> str:
    """Return a name as a FHIR id: 64 letters, digits, dots and hyphens at most; a longer one ends in its digest."""
    fit = _UNFIT.sub("-", name).strip("-")
    return fit if len(fit) <= 64 else f"{fit[:57].rstrip('-.')}-{sha256(fit.encode()).hexdigest()[:6]}"


def computable(name: str) -> str:
    """Return a name as a program would have it: ``DicomPlanIntent``."""
    words = "".join(word[:1].upper() + word[1:] for word in _WORD(name))
    return words if words[:1].isalpha() else f"N{words}"


def segment(url: str) -> str:
    """Return the last part of a canonical URL: the id of the resource."""
    return url.rstrip("/").rpartition("/")[2]


def cited(text: str) -> str:
    """Return a sentence that ends as one."""
    return text if text.endswith((".", "!", "?")) else f"{text}."
