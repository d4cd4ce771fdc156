"""Answers: the rows of a request, their text as it comes, and the shape of responses."""
