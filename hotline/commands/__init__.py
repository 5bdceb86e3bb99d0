"""The command line, a module each: ``add(parser)`` names the arguments, ``run(args)`` returns the exit code."""
