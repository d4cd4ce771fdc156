"""A strict stand-in for AWS's APIs that really trains, for tests and for `make demo AWS=standin`."""
