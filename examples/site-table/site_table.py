"""Add a term of your own without touching the shipped tables: run it, and see what changes.

python examples/site-table/site_table.py
"""

from __future__ import annotations

from pathlib import Path

import bridge

HERE = Path(__file__).parent
PLAN = HERE.parent / "checks" / "value.unknown-term" / "input.dcm"
TABLE = HERE.parent.parent / "mappings" / "sites" / "qapv.yaml"


def shown(b: bridge.Bridge) -> str:
    """Return the OBX of the relationship, and the codes of what was found."""
    result = b.translate(PLAN, to="hl7v2")
    line = next(line for line in result.to_bytes().decode().split("\r") if "|300A0055^" in line)
    codes = [issue.code for issue in result.issues if issue.code.startswith("value.")]
    return f"  {line}\n  {', '.join(codes) or 'no issue'}"


def main() -> None:
    """Translate a plan that says QAPV_EQUIVALENT, first with the shipped tables, then with the site's."""
    print("The shipped tables: the term is legal DICOM, but nobody knows it. It passes as it is, with an issue.")
    print(shown(bridge.load()))
    site = bridge.load(TABLE)
    print(f"\nWith {TABLE.name}: it has a code of its own, and comes back as the same term.")
    print(shown(site))
    message = site.translate(PLAN, to="hl7v2").to_bytes()
    back = site.translate(message, to="dicom-json").records[0].get("300C0002")
    assert back
    assert back.items
    print(f"  and back: {next(e.values[0] for e in back.items[0] if e.tag == '300A0055')}")
    print(f"\nIn every result: {site.translate(PLAN, to='fhir').tables}")


if __name__ == "__main__":
    main()
