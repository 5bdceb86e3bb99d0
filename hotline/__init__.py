"""Puts the rooms together: settings, pipeline, jobs, the service and its command line."""
