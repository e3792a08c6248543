"""Brokers: what a bot talks to a venue through, and the words of that talk.

`talk` has the words; `simulated` matches on the core's own venue (paper); `ccxt_broker` speaks to real venues.
"""
