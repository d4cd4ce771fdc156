"""From blocks of a file to batches of rows, in several processes."""
