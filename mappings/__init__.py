"""Mapping tables, shipped as package data of ``bridge.mappings``."""
