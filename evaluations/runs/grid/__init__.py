"""The grid of an evaluation: its rows by models, filtered, drawn, summed up and downloaded."""
