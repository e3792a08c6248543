"""Strategies without code: rule files (`strategies/*.yaml`) read, checked and turned into strategy classes.

The text becomes a tree in which everything has a place (`reading`), its expressions become plain values (`tokens`,
`parser`, `conditions`, `nodes`), the sections a `RuleFile` (`sections`, `plan`), which is checked as a whole
(`checking`) and carried out on arrays (`arrays`, `position`) by a strategy class (`strategy`, `loading`). Nothing in a
file is ever run as code. The language is described in `strategies/RULES.md`; editors complete it by `schema`.
"""

from workbench.strategy.rules.loading import load_rules
from workbench.strategy.rules.schema import schema

__all__ = ["load_rules", "schema"]
