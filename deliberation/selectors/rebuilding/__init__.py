"""A room made from the first events of a trail; its rows are what the events say, and were never stored."""
