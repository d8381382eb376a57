"""Batch: archives of documents translated on one machine, each input exactly once, whatever happens on the way.

``partition`` is the pure function: bytes and a name in, a row out. Around it ``sources`` finds inputs, ``containers``
opens what holds several, ``supervisor`` runs workers, ``run`` brings their rows into order, ``sinks`` writes them,
``state`` remembers what is done, and ``report`` shows it.
"""
