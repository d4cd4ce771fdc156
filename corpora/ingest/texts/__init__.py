"""What is looked for in the text of rows: near duplicates, personal data, tokens."""
