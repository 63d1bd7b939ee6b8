"""The words sent to a model and the reading of what it sends back. Pure; one module per exchange."""
