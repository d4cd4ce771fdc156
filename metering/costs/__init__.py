"""What it cost: measured time times a price with its source."""
