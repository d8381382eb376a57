"""HL7 v2: ER7 messages, read losslessly and patched segment by segment."""
