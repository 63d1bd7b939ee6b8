"""Every write, one function per verb. A person's act that the rules do not allow raises ActRefused."""
