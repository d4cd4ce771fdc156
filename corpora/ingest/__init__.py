"""From a customer's file to checked, split, canonical rows: `python -m corpora.ingest --run-dir DIR`.

Knows no Django. The file is inputs/upload/upload; it is read once, row by row, and nothing but the fingerprints of its
rows outlives a row. What it leaves in output/ is described in `corpora.ingest.contracts`.
"""
