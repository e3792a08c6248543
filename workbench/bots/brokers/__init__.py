"""Brokers: what a bot talks to a venue through, and the words of that talk.

`talk` has the words; `ccxt_broker` speaks to real venues and to the practice exchange. Beside it are its parts: what
errors mean (`verdicts`), what a venue offers (`offers`, `capabilities`), orders in ccxt's words and back (`wording`,
`reading`), changing and finding them (`amending`, `pairing`, `finding`), and news of them (`news`).
"""
