"""How to call a model: requests in, replies or a named failure out. No ORM, no Django."""
