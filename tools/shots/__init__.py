"""Pictures of the pages, for docs/screenshots: run by ``tools/screenshots``, no part of the service."""
