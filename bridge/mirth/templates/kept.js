// The server took it; nothing is left to do.
