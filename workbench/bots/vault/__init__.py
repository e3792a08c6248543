"""The vault: keys of exchanges and other secrets, encrypted in one file, and shown to nobody but who uses them.

`Vault` is the file with its names, `Secret` a text that cannot be printed, pickled or exported; `sealing` is the layout
of the file, `sources` where its key comes from.
"""

from workbench.bots.vault.secret import Secret
from workbench.bots.vault.vault import VAULT_FILE, Credential, Vault

__all__ = ["VAULT_FILE", "Credential", "Secret", "Vault"]
