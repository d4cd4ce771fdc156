"""PromQL over the metrics of containers: the part of the language that asks for rates, quantiles and levels."""
