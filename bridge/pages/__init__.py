"""A static site from the tables, the dictionary and what the bridge does with them: ``bridge pages -o site/``.

Facts are gathered (``subject``, ``faults``, ``clouds``, ``samples``, ``history``), laid out as pages (``attribute``,
``overview``, ``guides``, ``reference``) and handed to the generator (``site``). Nothing here knows a single attribute,
and no output on a page is written by hand: commands run while the page is made.
"""
