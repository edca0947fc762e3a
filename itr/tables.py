"""What every table's model is made from."""

from typing import Any

from tortoise.models import Model, ModelMeta


class _Uncommented(ModelMeta):
    """Makes models without reading their source again for comments on columns: there are none."""

    def __new__(
        cls, name: str, bases: tuple[type, ...], attributes: dict[str, Any]
    ) -> "_Uncommented":
        """Make the model."""
        made = super().__new__(cls, name, bases, {**attributes, "_no_comments": True})
        assert isinstance(made, cls)
        return made


class Table(Model, metaclass=_Uncommented):
    """A table of ours; what a column means stands in the schema's descriptions.

    Values are set as on any object: no column here has a default that waits, which is what
    Tortoise looks for at each of them.
    """

    __setattr__ = object.__setattr__  # type: ignore[assignment]

    class Meta:
        abstract = True
