"""The NSED protocol as pure functions over plain values (protocol.md, sections 2 to 7).

Standard library only: no clock, no randomness, no settings, no input or output. Floats are IEEE doubles; sums
are `math.fsum`, so no result depends on the order of ballots.
"""
