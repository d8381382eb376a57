"""Fuzzers, one a format, in plain Python: good documents are broken at random, the same way for the same seed.

``python -m tests.fuzz --seconds 10`` runs them; ``python -m tests.fuzz --replay FILE`` runs one finding again.
"""
