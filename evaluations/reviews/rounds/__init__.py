"""Review rounds: which answers experts grade, by whom, until when."""
