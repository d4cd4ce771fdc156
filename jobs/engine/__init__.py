"""The engine: which jobs are due, the lease that lets one worker step each, and the step."""
