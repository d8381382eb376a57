"""The schemas of what the service answers, for its description: what is ours, not what the three standards define."""

from __future__ import annotations

from typing import Any

from bridge.http.parameters import FORMATS

_OBJECT: dict[str, Any] = {"type": "object"}
_TEXT: dict[str, Any] = {"type": "string"}


def schemas() -> dict[str, Any]:
    """Return all of them, by name."""
    issue = {
        "type": "object",
        "required": ["code", "severity", "message", "remedy"],
        "properties": {
            "code": {"type": "string", "examples": ["value.unknown-term"]},
            "severity": {"type": "string", "enum": ["error", "warning", "note"]},
            "side": {"type": "string", "enum": ["source", "target", "into"]},
            "path": _TEXT,
            "offset": {"type": "integer"},
            "message": _TEXT,
            "remedy": _TEXT,
        },
    }
    issues = {"type": "array", "items": {"$ref": "#/components/schemas/Issue"}}
    texts = {"type": "object", "additionalProperties": _TEXT}
    return {
        "Anything": _OBJECT,
        "Issue": issue,
        "Problem": {
            "type": "object",
            "required": ["type", "title", "status", "detail", "code", "errors"],
            "properties": {
                "type": {"type": "string", "format": "uri"},
                "title": _TEXT,
                "status": {"type": "integer"},
                "detail": _TEXT,
                "code": _TEXT,
                "errors": issues,
            },
        },
        "Resource": {"type": "object", "required": ["resourceType"], "properties": {"resourceType": _TEXT}},
        "Status": {"type": "object", "required": ["status"], "properties": {"status": _TEXT}},
        "Tables": {
            "type": "object",
            "required": ["tables"],
            "properties": {"tables": {"type": "array", "items": _OBJECT}},
        },
        "Checked": {
            "type": "object",
            "required": ["ok", "issues", "tables"],
            "properties": {"ok": {"type": "boolean"}, "issues": issues, "tables": texts},
        },
        "Result": {
            "type": "object",
            "required": ["output", "outputType", "source", "target", "tables", "issues", "ledger", "trace"],
            "properties": {
                "output": {"description": "JSON as it is, ER7 and XML as text, DICOM as base64 (see outputEncoding)."},
                "outputType": _TEXT,
                "outputEncoding": {"type": "string", "enum": ["base64"]},
                "source": {"type": "string", "enum": list(FORMATS)},
                "target": {"type": "string", "enum": list(FORMATS)},
                "tables": texts,
                "issues": issues,
                "ledger": _OBJECT,
                "trace": {"type": "array", "items": _OBJECT},
            },
        },
        "Envelope": {
            "type": "object",
            "description": "One of message, document and base64, beside the options of the query. In a Mirth template: "
            '{"message": "$JsonUtil.escape($message.encodedData)", "to": "fhir"}.',
            "properties": {
                "message": {"type": "string", "minLength": 1},
                "document": {"type": ["object", "array"]},
                "base64": {"type": "string", "minLength": 1},
                "into": {"type": ["object", "array", "string"]},
                "to": {"type": "string", "enum": list(FORMATS)},
            },
            "oneOf": [{"required": ["message"]}, {"required": ["document"]}, {"required": ["base64"]}],
        },
    }
