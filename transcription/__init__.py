"""What was said: recordings in, transcripts and evidence-bound summaries out. All offline."""
