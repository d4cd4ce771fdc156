"""Training runs: the form, the start, the job, the pages and the comparison of runs."""
