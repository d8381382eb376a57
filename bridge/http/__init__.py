"""The bridge over HTTP: a plain ASGI application, and the command that serves it (``bridge serve``)."""
