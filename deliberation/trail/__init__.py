"""The audit trail: canonical bytes, the hash chain, and a verifier that needs nothing but Python."""
