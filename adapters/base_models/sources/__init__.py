"""Where base models come from: S3, a hub, a file of llama.cpp's format."""
