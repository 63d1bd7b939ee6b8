"""Every read of the broker."""
