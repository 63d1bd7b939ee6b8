"""Every write of the broker, one function per verb."""
