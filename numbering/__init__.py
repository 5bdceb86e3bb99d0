"""What a number is: the caller's and the called identity, as China's networks and people write them. Pure."""
