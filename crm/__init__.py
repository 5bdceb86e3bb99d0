"""Who is calling: customers, whatever system keeps them, and the decision which of them a number means."""
