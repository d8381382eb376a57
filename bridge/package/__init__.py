"""The FHIR package and the conformance statement: everything in them is generated from the tables."""
