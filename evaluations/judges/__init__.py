"""Who grades an answer from 1 to 5 and says why."""
