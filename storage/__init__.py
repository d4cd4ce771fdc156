"""Objects: keys, put and open, removal, S3."""
