"""Reviews: the queue of answers, one at a time, and experts' grades."""
