"""Dataset versions: check, rows, findings, diff and exports."""
