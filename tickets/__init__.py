"""What happens next: tickets, their legal moves, and the rules that link a call to one. Pure."""
