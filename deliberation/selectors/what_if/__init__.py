"""What if: a session's record counted again with something otherwise, by protocol.what_if; no model is asked."""
