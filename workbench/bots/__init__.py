"""Bots: the shell round the core of one strategy, which trades on paper and live.

`mind` is the core with its growing history; `papering` feeds it a replayed tape and a simulated venue; `journal` keeps
what happened, and `vault` the keys of exchanges.
"""
