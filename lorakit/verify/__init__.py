"""Evidence packs and receipts: how they are laid out and signed, and how they are checked without the site."""
