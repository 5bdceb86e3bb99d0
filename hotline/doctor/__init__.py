"""Why does it not work? Looks at one installation as a whole and names each fault with its remedy.

Gathering (``probe`` over AMI, ``files`` of the PBX, ``places`` of our own machine) knows how to ask and judges nothing;
judging (``judge_*``, ``plan``, ``filters``) is pure: what was gathered goes in, findings come out.
"""
