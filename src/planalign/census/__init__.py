"""The census: read and check what a user supplies, or generate a synthetic one."""
