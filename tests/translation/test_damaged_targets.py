"""What is written into may be damaged, or wrongly named: an issue says so, and none is an accident of a library."""

from __future__ import annotations

import pytest

import bridge
from bridge import BridgeError
from tests.core import CORE
from tests.formats.fhir.documents import study

B = bridge.load(*CORE)


@pytest.mark.parametrize("keep_going", [False, True])
def test_a_data_set_that_pydicom_cannot_read_is_said_to_be_malformed(keep_going):
    plan = B.translate(study(), to="dicom")
    plan.output.SpecificCharacterSet = "ISO_IR 192"
    into = plan.to_bytes().replace(b"ISO_IR 192", b"ISO_IR \x0092")
    with pytest.raises(BridgeError) as caught:
        B.translate(study(), to="dicom", into=into, keep_going=keep_going)
    codes = {issue.code for issue in caught.value.issues}
    assert codes & {"input.malformed", "input.charset"}
    assert not any(code.startswith("internal") for code in codes)


@pytest.mark.parametrize("names", [{"to": "pdf"}, {"to": "fhir", "source": "pdf"}])
def test_a_format_that_is_none_is_told_which_there_are(names):
    with pytest.raises(ValueError, match=r"a format is one of dicom, dicom-json, fhir, .*; not 'pdf'"):
        B.translate(study(), **names)
