"""How fast the bridge is, as ratios to what people use today, measured side by side in one run: ``make bench``."""
