"""What is kept: one transaction a fact, jobs beside it, customers, accounts, and word to other processes."""
