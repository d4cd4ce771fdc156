"""Opens a file of any supported format and reads it row by row."""
