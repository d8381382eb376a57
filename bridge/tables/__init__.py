"""Mapping tables: from YAML text over nodes, overrides and lint to immutable rows.

``source`` (text to nodes) → ``shape`` (held against the JSON Schema) → ``overrides`` (site tables) → ``lint`` (meaning)
→ ``compile`` (rows); ``builtin`` is the door, ``dictionary`` knows DICOM's attributes and UIDs.
"""
