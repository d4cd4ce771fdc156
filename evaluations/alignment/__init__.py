"""Alignment: experts' grades become a judge's few-shot examples, and other grades say whether that helps."""
