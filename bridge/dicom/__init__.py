"""DICOM: Part 10 files, data sets and DICOM JSON.

``syntax`` (what the bytes are) → ``scan`` (is their structure sound) → ``levels`` (the elements of one data set or
item) → ``reader`` (elements to records); ``writer`` decides what changes, ``encode`` and ``json`` write it.
"""
