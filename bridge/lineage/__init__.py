"""The lineage of plans: which plan came from which, what verifies what, and what is told wrong.

:func:`build` takes documents of any format, mixed, and gives a :class:`Lineage`. What the terms mean, and what may not
be concluded from them, is in ``docs/lineage.md``. Graph questions need networkx:
``pip install 'dicom-fhir-hl7-bridge[lineage]'``; :mod:`bridge.lineage.graph` does without.

>>> from bridge import lineage
>>> found = lineage.build(["examples/terms/PREDECESSOR/plan.dcm", "examples/terms/CONCURRENT/plan.hl7"])
>>> [(plan.label, plan.date, plan.intent) for plan in found.plans.values()]
[('SYNTHETIC', '20260102', 'CURATIVE'), ('SYNTHETIC', '20260102', 'CURATIVE')]
>>> [(edge.source[-3:], edge.term, edge.target[-3:]) for edge in found.relationships]
[('103', 'PREDECESSOR', '203'), ('105', 'CONCURRENT', '205')]
>>> found.ancestors("1.2.826.0.1.3680043.8.498.1.103")
('1.2.826.0.1.3680043.8.498.1.203',)
>>> found.current("1.2.826.0.1.3680043.8.498.1.203")
('1.2.826.0.1.3680043.8.498.1.103',)
>>> sorted({finding.code for finding in found.findings})
['lineage.dangling-reference']
"""

from __future__ import annotations

from bridge.lineage.findings import Finding
from bridge.lineage.lineage import Lineage, Relationship
from bridge.lineage.meanings import Kind
from bridge.lineage.plans import Plan
from bridge.lineage.reading import build

__all__ = ["Finding", "Kind", "Lineage", "Plan", "Relationship", "build"]
