"""The command line, one module a command: ``add(parser)`` names its arguments, ``run(args)`` does it, returns the exit code."""
