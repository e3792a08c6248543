"""`Parameterised`: what every strategy is: a class with declared parameters, whose objects are values.

Made once, never changed: two objects of the same class and parameters are equal, print as code that makes them again,
and say by a hash which source they were written in.
"""

from __future__ import annotations

import hashlib
import inspect
from types import CodeType
from typing import Any, ClassVar, Final, Self

from workbench.errors import StrategyError
from workbench.strategy.parameters import Parameter, Value, _Undecided, check_parameters, declare

__all__ = ["Parameterised"]

_TAKEN: Final = frozenset(("code_hash", "declared", "parameters", "replace", "signals", "validate"))


class Parameterised:
    """Base of all strategies: parameters declared with `param` on the class, fixed when an object is made."""

    declared: ClassVar[dict[str, Parameter]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        own, annotations = {}, inspect.get_annotations(cls)
        for name, value in list(vars(cls).items()):
            if isinstance(value, _Undecided):
                annotation = annotations.get(name, "")
                text = annotation.__name__ if isinstance(annotation, type) else str(annotation)
                if name in _TAKEN:
                    raise StrategyError(f"{cls.__name__}: a parameter cannot be called {name}, every strategy has that")
                own[name] = declare(cls.__name__, name, text, value)
                delattr(cls, name)
        cls.declared = {**cls.declared, **own}

    def __init__(self, *unnamed: Any, **parameters: Any) -> None:
        if unnamed:
            known = ", ".join(self.declared) or "none"
            raise StrategyError(f"{type(self).__name__}: {unnamed[0]!r} has no name; its parameters are {known}")
        values = check_parameters(type(self).__name__, self.declared, parameters)
        for name, value in values.items():
            object.__setattr__(self, name, value)
        self.validate()

    def validate(self) -> None:
        """Check how parameters fit together; override and raise StrategyError. Nothing is checked by default."""

    @property
    def parameters(self) -> dict[str, Value]:
        """The value of every declared parameter, by name."""
        return {name: getattr(self, name) for name in self.declared}

    def replace(self, **changes: Any) -> Self:
        """Give a strategy of the same class with some parameters changed."""
        return type(self)(**{**self.parameters, **changes})

    @property
    def code_hash(self) -> str:
        """Hash (16 hex digits) of the source the strategy was written in: its file, or its class in a notebook."""
        return _code_hash(type(self))

    def __setattr__(self, name: str, value: Any) -> None:
        raise StrategyError(
            f"{self!r} cannot be changed: a strategy keeps nothing between calls; make another with "
            f".replace({name}={value!r}) or keep {name} in a local variable"
        )

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.parameters == self.parameters

    def __hash__(self) -> int:
        return hash((type(self), *self.parameters.items()))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self.parameters.items())})"


def _code_hash(cls: type) -> str:
    source = getattr(inspect.getmodule(cls), "__workbench_source__", None)
    if source is None:
        try:
            source = inspect.getsource(cls)
        except (OSError, TypeError):
            source = repr(sorted((name, _essence(value)) for name, value in vars(cls).items()))
    return hashlib.sha256(source.encode()).hexdigest()[:16]


def _essence(value: Any) -> str:
    """Write what a member of a class without source does, in words that hold no address: the same in any process."""
    code = getattr(getattr(value, "fget", getattr(value, "__func__", value)), "__code__", value)
    if not isinstance(code, CodeType):
        return sorted(map(_essence, code)).__repr__() if isinstance(code, frozenset) else repr(code)
    return repr((code.co_code, code.co_names, code.co_varnames, [_essence(one) for one in code.co_consts]))
