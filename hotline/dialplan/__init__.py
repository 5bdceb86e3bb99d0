"""What a PBX needs for this configuration: its AMI users, its dialplan, and where they go. Pure text from settings.

A PBX reads what is printed here as code. So nothing gets into it but the admin's own names, each held to a form that
cannot end a line, an argument or a shell word, and what a caller writes is never read before it is filtered.
"""
