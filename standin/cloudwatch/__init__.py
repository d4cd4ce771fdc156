"""CloudWatch: metrics of what the stand-in really served, GetMetricData and PromQL."""
