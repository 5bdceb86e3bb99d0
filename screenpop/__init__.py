"""What people see: the desk that decides who is shown what, and the pages that show it."""
