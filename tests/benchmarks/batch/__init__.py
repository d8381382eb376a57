"""What a batch costs: against the translation alone, one worker against two, few inputs against many, and against a peer."""
