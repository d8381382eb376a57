"""How much the HTTP service costs, as ratios to what is under it: the translation, the server, a framework."""
