"""AWS's APIs, as the front uses them."""
