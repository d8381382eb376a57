"""pydicom's data sets, made from bytes and written to bytes."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from bridge.dicom.forms import BIG_ENDIAN, EXPLICIT, IMPLICIT
from bridge.dicom.plan import Plan
from bridge.dicom.quiet import silently
from bridge.dicom.syntax import PREAMBLE
from bridge.issues import refuse

if TYPE_CHECKING:
    from pydicom.dataset import Dataset


def loaded(data: bytes) -> Dataset:
    """Return the data set in ``data``, as pydicom reads it.

    Raises:
        Unreadable: ``input.malformed``, if pydicom cannot: a name of a character set with a NUL in it, for one.
    """
    from pydicom import dcmread  # noqa: PLC0415 - only who works with pydicom pays for it

    try:
        with silently():
            return dcmread(io.BytesIO(data), force=True)
    except Exception as error:
        raise refuse("input.malformed", "$", f"pydicom cannot read the data set ({type(error).__name__})") from None


def emitted(dataset: Dataset, plan: Plan) -> bytes:
    """Return a data set as a Part 10 file with a zero preamble and complete file meta information.

    Raises:
        Unreadable: ``value.unrepresentable``, if pydicom cannot write it, or only with other characters.
    """
    from pydicom import dcmwrite  # noqa: PLC0415
    from pydicom.dataset import Dataset as Shadow  # noqa: PLC0415

    out = io.BytesIO()
    with silently() as warned:
        shadow = Shadow(dataset)  # the same elements under another header
        shadow.set_original_encoding(*dataset.original_encoding, dataset.original_character_set)
        shadow.file_meta = _meta(dataset, plan)
        shadow.preamble = PREAMBLE
        try:
            dcmwrite(out, shadow)
        except Exception as error:
            detail = f"pydicom cannot write the data set ({type(error).__name__})"
            raise refuse("value.unrepresentable", "$", detail) from None
    if any(said.startswith("Failed to encode") for said in warned):
        raise refuse("value.unrepresentable", "$", "text that the data set's character set does not have")
    return out.getvalue()


def _meta(dataset: Dataset, plan: Plan) -> Any:
    """Return complete file meta information for a data set (PS3.10 7.1)."""
    from pydicom.dataset import FileMetaDataset  # noqa: PLC0415

    tags, ours = plan.map("file-meta"), plan.map("implementation")
    meta = FileMetaDataset()
    meta.update(getattr(dataset, "file_meta", None) or {})
    for tag, own in plan.media_storage.items():
        if own in dataset and tag not in meta:
            meta.add_new(tag, "UI", str(dataset[own].value or ""))
    defaults = {
        "version": ("OB", b"\0\1"),
        "transfer-syntax": ("UI", _syntax(dataset, plan)),
        "implementation-class": ("UI", ours["class-uid"]),
    }
    if tags["implementation-class"] not in meta:
        meta.add_new(tags["implementation-version"], "SH", ours["version-name"])
    for name, (vr, value) in defaults.items():
        if tags[name] not in meta:
            meta.add_new(tags[name], vr, value)
    meta.add_new(tags["group-length"], "UL", 0)  # pydicom puts the right one in
    return meta


def _syntax(dataset: Dataset, plan: Plan) -> str:
    """Return the transfer syntax of a data set that names none."""
    is_implicit, is_little = dataset.original_encoding
    if is_implicit is None:
        return plan.text("written-transfer-syntax")
    form = IMPLICIT if is_implicit else EXPLICIT if is_little else BIG_ENDIAN
    return next(uid for uid, name in plan.map("transfer-syntaxes").items() if name == form.name)


def from_json(document: Any) -> Any:
    """Return the data set of a DICOM JSON object, a list of them for an array."""
    from pydicom import Dataset as Model  # noqa: PLC0415

    with silently():
        if isinstance(document, list):
            return [Model.from_json(one) for one in document]
        return Model.from_json(document)
