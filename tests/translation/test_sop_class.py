"""Other objects than plans are refused whatever format they come in, unless everything is carried."""

from __future__ import annotations

import pytest

import bridge
from bridge import BridgeError
from tests.core import CORE
from tests.formats.fhir.documents import instance, item, study

B = bridge.load(*CORE)
PLAN, SLICE = "1.2.840.10008.5.1.4.1.1.481.5", "1.2.840.10008.5.1.4.1.1.2"


def of_a_slice(format_: str) -> bytes:
    """Return what would be a plan but for its SOP Class."""
    return B.translate(study(instance(item())), to=format_).to_bytes().replace(PLAN.encode(), SLICE.encode())


@pytest.mark.parametrize(
    ("source", "place"),
    [
        ("dicom-json", "00080016"),
        ("fhir", "ImagingStudy.series[0].instance[0].sopClass"),
        ("hl7v2", "OBX[1]-5"),
    ],
)
@pytest.mark.parametrize("target", ["dicom-json", "fhir", "hl7v2"])
def test_another_object_is_no_plan_in_any_format(source, place, target):
    document = of_a_slice(source)
    with pytest.raises(BridgeError) as caught:
        B.translate(document, to=target)
    assert [i.place.path for i in caught.value.issues if i.code == "unsupported.sop-class"] == [place]
    assert "unsupported.sop-class" in {issue.code for issue in B.check(document)}
    assert "unsupported.sop-class" not in B.translate(document, to=target, unmapped="carry").codes
