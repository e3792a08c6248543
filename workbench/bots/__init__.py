"""The shell round the core of a bot: the journal of what happened, and the vault for the keys of exchanges."""
