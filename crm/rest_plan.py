"""What a mapping file says of a REST API: which requests there are and what goes into them. Pure.

A placeholder that is all of a JSON text becomes the value itself (null where there is none); one that is all of a query
parameter or header without a value leaves that out.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import quote

from pydantic import Field

from crm.plan import PLACEHOLDER, Ask, Plan, Values, filled, filled_json, strings


class RestAsk(Ask):
    """One request. ``empty_on``: statuses that mean "there is none"."""

    method: Literal["GET", "POST", "PUT", "PATCH"] = "GET"
    path: Annotated[str, Field(pattern=r"^/[^\s?#]*$")]
    query: Mapping[str, str] = Field(default_factory=dict)
    headers: Mapping[str, str] = Field(default_factory=dict)
    body: Any = None
    empty_on: tuple[int, ...] = ()

    def filled_path(self, values: Values) -> str:
        """The path; what is put in is quoted, a slash too."""
        return filled(self.path, values, lambda text: quote(text, safe=""))

    def filled_query(self, values: Values) -> dict[str, str]:
        """The query parameters that have a value."""
        return dict(_with_values(self.query, values))

    def filled_headers(self, values: Values) -> dict[str, str]:
        """The headers that have a value."""
        return dict(_with_values(self.headers, values))

    def filled_body(self, values: Values) -> Any:
        """The JSON body, None where there is none."""
        return filled_json(self.body, values)

    def texts(self) -> Iterator[str]:
        """Path, query, headers and body."""
        yield from (self.path, *self.query.values(), *self.headers.values(), *strings(self.body))


class RestPlan(Plan[RestAsk]):
    """Everything below ``[rest]``."""

    NAME: ClassVar[str] = "rest"


def _with_values(texts: Mapping[str, str], values: Values) -> Iterator[tuple[str, str]]:
    for name, text in texts.items():
        whole = PLACEHOLDER.fullmatch(text)
        if whole and not values.get(whole[1]):
            continue
        yield name, filled(text, values)
