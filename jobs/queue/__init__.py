"""The fair queue: which jobs start next, and a job’s place in line."""
