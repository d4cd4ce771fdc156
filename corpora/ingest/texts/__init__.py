"""Analysis of row texts: near duplicates, personal data, tokens."""
