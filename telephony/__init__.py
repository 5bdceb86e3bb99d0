"""What happened: AMI events in, facts about our 400 calls out."""
