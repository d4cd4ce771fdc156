"""Files on their way in: received, inspected, confirmed."""
