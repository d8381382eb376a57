"""DICOM as archives hand it out in JSON of their own: AWS HealthImaging, Google BigQuery, Orthanc."""
