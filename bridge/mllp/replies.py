"""Which acknowledgements a message asks for (HL7 v2 2.9.2, table 0155).

Original mode (MSH-15 and MSH-16 empty): one application acknowledgement, AA, AE or AR. Enhanced mode: a commit
acknowledgement (CA, CE, CR) as MSH-15 says, and an application acknowledgement as MSH-16 says; an empty one means
never.
"""

from __future__ import annotations

from typing import NamedTuple

from bridge.http.ack import Head

_ALWAYS, _NEVER, _ON_ERROR, _ON_SUCCESS = "AL", "NE", "ER", "SU"


class Wanted(NamedTuple):
    """What the sender of a message wants to hear.

    Attributes:
        commit: Condition of the commit acknowledgement; empty in original mode.
        application: Condition of the application acknowledgement.
    """

    commit: str
    application: str

    @property
    def is_enhanced(self) -> bool:
        """Whether accepting a message and processing it are acknowledged apart."""
        return bool(self.commit)

    def wants_commit(self, *, good: bool) -> bool:
        """Whether a commit acknowledgement is due."""
        return _is_due(self.commit, good=good)

    def wants_application(self, *, good: bool) -> bool:
        """Whether an application acknowledgement is due."""
        return _is_due(self.application, good=good)


def wanted(head: Head | None) -> Wanted:
    """Return what a message asks for; what has no header is answered as in original mode."""
    commit, application = (head.msh(15).strip(), head.msh(16).strip()) if head else ("", "")
    if not commit and not application:
        return Wanted("", _ALWAYS)
    return Wanted(commit or _NEVER, application or _NEVER)


def _is_due(condition: str, *, good: bool) -> bool:
    return condition in (_ALWAYS, _ON_SUCCESS if good else _ON_ERROR)
