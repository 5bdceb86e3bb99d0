"""Speech-to-text engines behind one protocol. They run in the worker process, which may crash."""
