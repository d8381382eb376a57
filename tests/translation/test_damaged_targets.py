"""What is written into may be damaged: an issue says so, and none is an accident of a library."""

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
