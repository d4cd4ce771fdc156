"""The web server's side of the site: an event loop that reads requests, and threads that answer them."""
