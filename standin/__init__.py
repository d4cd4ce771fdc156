"""AWS's APIs as a strict server that really trains, for tests and for `make demo AWS=standin`."""
