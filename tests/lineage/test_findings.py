"""Every finding has a smallest set of plans that gives it, and a near one that does not."""

from __future__ import annotations

from typing import Any

import pytest

from bridge import Record, lineage
from bridge.issues import Severity

from .plans import record, uid, written

BOTH = (record(1, ("CONCURRENT", 2)), record(2, ("CONCURRENT", 1)))

#: Code -> plans that give it, the plans concerned, and plans that differ in one thing and do not.
CASES: dict[str, tuple[tuple[Record, ...], tuple[int, ...], list[tuple[Record, ...]]]] = {
    "rule.self-reference": (
        (record(1, ("PREDECESSOR", 1)),),
        (1,),
        [(record(1, ("PREDECESSOR", 2)), record(2))],
    ),
    "lineage.dangling-reference": (
        (record(1, ("PREDECESSOR", 2)),),
        (1, 2),
        [(record(1, ("PREDECESSOR", 2)), record(2)), (record(1, ("VERIFIED_PLAN", 2)),)],
    ),
    "lineage.verified-plan-missing": (
        (record(1, ("VERIFIED_PLAN", 2)),),
        (1, 2),
        [(record(1, ("VERIFIED_PLAN", 2)), record(2)), (record(1, ("PRIOR", 2)),)],
    ),
    "lineage.predecessor-cycle": (
        (record(1, ("PREDECESSOR", 2)), record(2, ("PREDECESSOR", 1))),
        (1, 2),
        [
            (record(1, ("PREDECESSOR", 2)), record(2, ("PRIOR", 1))),
            (record(1, ("PREDECESSOR", 1)),),
            (record(1, ("PREDECESSOR", 2), ("PREDECESSOR", 3)), record(2, ("PREDECESSOR", 3)), record(3)),
        ],
    ),
    "lineage.prior-both-ways": (
        (record(1, ("PRIOR", 2)), record(2, ("PRIOR", 1))),
        (1, 2),
        [
            (record(1, ("PRIOR", 2)), record(2, ("PREDECESSOR", 1))),
            (record(1, ("PRIOR", 1)),),
            (record(1, ("PRIOR", 2)), record(2)),
        ],
    ),
    "lineage.predecessor-later": (
        (record(1, ("PREDECESSOR", 2), date="20260101"), record(2, date="20260102")),
        (1, 2),
        [
            (record(1, ("PREDECESSOR", 2), date="20260101"), record(2, date="20260101")),
            (record(1, ("PREDECESSOR", 2), date="20260101"), record(2, date="")),
            (record(1, ("PRIOR", 2), date="20260101"), record(2, date="20260102")),
            (record(1, ("PREDECESSOR", 2), time="1000"), record(2, time="100059")),
        ],
    ),
    "lineage.concurrent-one-sided": (
        (record(1, ("CONCURRENT", 2)), record(2)),
        (1, 2),
        [BOTH, (record(1, ("CONCURRENT", 2)),), (record(1, ("ALTERNATIVE", 2)), record(2))],
    ),
    "lineage.two-successors": (
        (record(1), record(2, ("PREDECESSOR", 1)), record(3, ("PREDECESSOR", 1))),
        (1, 2, 3),
        [
            (record(1), record(2, ("PREDECESSOR", 1)), record(3, ("PREDECESSOR", 2))),
            (record(1), record(2, ("PREDECESSOR", 1)), record(3, ("PRIOR", 1))),
            (
                record(1),
                record(2, ("PREDECESSOR", 1), ("CONCURRENT", 3)),
                record(3, ("PREDECESSOR", 1), ("CONCURRENT", 2)),
            ),
            (record(1), record(2, ("PREDECESSOR", 1)), record(3, ("PREDECESSOR", 1), ("VERIFIED_PLAN", 1))),
        ],
    ),
    "lineage.other-patient": (
        (record(1, ("PREDECESSOR", 2)), record(2, patient="P2")),
        (1, 2),
        [
            (record(1, ("PREDECESSOR", 2)), record(2, patient="")),
            (record(1, ("VERIFIED_PLAN", 2), patient="PHANTOM"), record(2)),
            (record(1, ("PREDECESSOR", 2)), record(2, issuer="")),
        ],
    ),
    "lineage.told-twice": (
        (record(1, label="One"), record(1, label="Other")),
        (1,),
        [
            (record(1), record(1)),
            (record(1), record(1, intent="", date="")),
            (record(1, ("PRIOR", 2)), record(1), record(2)),
        ],
    ),
}


def _codes(plans: tuple[Record, ...], **how: Any) -> list[tuple[str, tuple[str, ...]]]:
    return [(finding.code, finding.plans) for finding in lineage.build(plans, **how).findings]


def test_every_code_of_the_family_has_its_case(b: Any) -> None:
    assert {code for code in b.catalogue.entries if code.startswith("lineage.")} == {
        code for code in CASES if code.startswith("lineage.")
    }


@pytest.mark.parametrize("code", CASES)
def test_the_smallest_set_of_plans_gives_it_once_and_names_the_plans(code: str) -> None:
    plans, concerned, _ = CASES[code]
    assert [found for found in _codes(plans) if found[0] == code] == [(code, tuple(map(uid, concerned)))]


@pytest.mark.parametrize(
    ("code", "near"), [(code, near) for code, case in CASES.items() for near in range(len(case[2]))]
)
def test_a_near_set_of_plans_does_not(code: str, near: int) -> None:
    assert code not in dict(_codes(CASES[code][2][near]))


@pytest.mark.parametrize("code", CASES)
def test_a_document_says_where(b: Any, code: str, tmp_path: Any) -> None:
    for at, one in enumerate(CASES[code][0]):
        (tmp_path / f"{at}.json").write_bytes(written(b, one, "fhir"))
    found = next(finding for finding in lineage.build([tmp_path]).findings if finding.code == code)
    assert found.issue.place.document.startswith(str(tmp_path))
    assert found.issue.place.path.startswith("ImagingStudy.series[0].instance[0]")
    assert found.issue.remedy == b.catalogue.entries[code].remedy


def test_a_finding_holds_no_value_but_on_request() -> None:
    finding = lineage.build([record(1, ("PREDECESSOR", 2))]).findings[0]
    assert uid(2) not in str(finding.issue)
    assert uid(2) in finding.issue.line(show_values=True)


def test_the_mode_weighs() -> None:
    plans = (record(1, ("PREDECESSOR", 2)), record(2, ("PREDECESSOR", 1)))
    weights = [
        next(f.issue.severity for f in lineage.build(plans, **how).findings)
        for how in ({}, {"strict": True}, {"lenient": True})
    ]
    assert weights == [Severity.WARNING, Severity.ERROR, Severity.WARNING]


def test_a_circle_of_many_is_one_finding() -> None:
    ring = [record(at, ("PREDECESSOR", at % 50 + 1)) for at in range(1, 51)]
    found = [code for code, _ in _codes(tuple(ring))]
    assert found == ["lineage.predecessor-cycle"]


def test_the_example_faults_have_every_finding_but_one(faults: Any) -> None:
    assert {finding.code for finding in faults.findings} == CASES.keys() - {"lineage.told-twice"}
