"""Machine learning that cannot see the future."""
