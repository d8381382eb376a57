"""FHIR R4, R4B and R5: ImagingStudy, ServiceRequest, and Bundles of them."""
