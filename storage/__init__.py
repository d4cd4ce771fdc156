"""Object storage: keys, reading and writing, removal, S3."""
