"""Whole translations by the public call: what no single format shows."""
