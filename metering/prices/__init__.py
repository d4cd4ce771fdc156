"""The price book: dated prices with their sources, discounts and exchange rates. docs/costs.md says how they count."""
