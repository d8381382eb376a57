"""The playground: one document in three forms side by side, in a browser, on this machine alone."""
