"""The registry's pages. Everybody who is signed in may read them; what a person may change, access.py says."""
