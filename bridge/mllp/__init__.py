"""HL7 v2 over MLLP: a listener that translates, delivers, and only then acknowledges (``bridge mllp``)."""
