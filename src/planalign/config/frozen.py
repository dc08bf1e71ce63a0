"""A mapping that cannot change once built, for values inside frozen models."""

from __future__ import annotations

from typing import Any, NoReturn, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class FrozenDict(dict[K, V]):
    """Hold a mapping that is read-only, hashable, picklable and keeps its order.

    A subclass of `dict` rather than a `MappingProxyType`: pydantic, json and
    pickle treat it as the plain mapping it is.
    """

    __slots__ = ()

    def _refuse(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        raise TypeError("the configuration is read-only; build a new one instead")

    __setitem__ = _refuse
    __delitem__ = _refuse
    __ior__ = _refuse
    clear = _refuse
    pop = _refuse
    popitem = _refuse
    setdefault = _refuse
    update = _refuse

    def __hash__(self) -> int:  # type: ignore[override]
        """Return a hash that, like equality, does not depend on the order."""
        return hash(frozenset(self.items()))

    def __reduce__(self) -> tuple[type[FrozenDict[K, V]], tuple[dict[K, V]]]:
        """Rebuild from a plain dict: the default protocol sets items one by one."""
        return type(self), (dict(self),)

    def __copy__(self) -> FrozenDict[K, V]:
        """Return the mapping itself: nothing in it can change."""
        return self

    def __deepcopy__(self, _memo: dict[int, Any]) -> FrozenDict[K, V]:
        """Return the mapping itself: values are frozen as well."""
        return self
