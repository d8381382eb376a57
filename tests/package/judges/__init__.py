"""Programs by other people that judge the FHIR package, and what they are told."""
