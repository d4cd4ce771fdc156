"""The operator's base models: pages, and the long work of adding and checking them."""
