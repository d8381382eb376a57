"""Limits on what is read, counted before anything is parsed."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Largest inputs that are accepted; every one can be set by the caller.

    Sizes are in bytes, the others are counts. The defaults leave a wide margin above real plans.
    """

    dicom_bytes: int = 64 * MIB
    dicom_inflated_bytes: int = 64 * MIB
    dicom_inflation: int = 200  # inflated bytes for one deflated byte
    dicom_depth: int = 16
    dicom_elements: int = 200_000
    dicom_items: int = 200_000
    dicom_values: int = 10_000  # of one element
    dicom_value_bytes: int = 16 * MIB  # of one element
    carry_bytes: int = 256 * 1024  # of one bulk value that is carried; a larger one stays where it is
    json_bytes: int = 8 * MIB
    json_depth: int = 80  # 16 nested sequences in the generic form, in a Bundle, need 77
    json_members: int = 200_000
    json_number_characters: int = 64
    json_exponent: int = 324  # the smallest double is 4.9e-324
    bundle_entries: int = 2_000
    hl7_bytes: int = 16 * MIB  # of one message
    hl7_batch_bytes: int = 64 * MIB
    hl7_segments: int = 100_000
    hl7_fields: int = 512  # of one segment
    hl7_repetitions: int = 10_000  # of one field: as many as an element may have values
    hl7_components: int = 256  # of one field
    yaml_bytes: int = MIB
    yaml_depth: int = 24
    yaml_nodes: int = 100_000


DEFAULT = Limits()
