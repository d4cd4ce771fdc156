"""Opens a file, whatever its format, and reads it row by row."""
