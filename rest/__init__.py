"""What every REST surface shares: errors and their documents, parsers, pages and base views."""
