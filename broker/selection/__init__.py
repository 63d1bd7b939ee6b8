"""Which models to invite. Pure: a request in, a receipt out; no clock, no database."""
