"""Routes: promoting a version to its alias, checking its fingerprint, rolling back."""
