"""Pages over REST. Settings name it, so it imports no views."""

from typing import Any

from django.core.exceptions import ValidationError
from rest_framework.exceptions import NotFound
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request


class CursorPages(CursorPagination):
    """Cursor pages in the `ordering` of a subclass: stable while rows are added."""

    page_size_query_param = "page_size"
    max_page_size = 200

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any] | None:
        """The rows of a page; raises NotFound for what is no cursor of this list."""
        cursor = self.decode_cursor(request)
        if cursor is not None and cursor.position is not None:
            # Django REST framework reads the cursor, but hands the position on to the database as it came.
            name = self.get_ordering(request, queryset, view)[0].lstrip("-")
            try:
                queryset.model._meta.get_field(name).clean(cursor.position, None)
            except ValidationError:
                raise NotFound(self.invalid_cursor_message) from None
        return super().paginate_queryset(queryset, request, view)

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """What the OpenAPI document says of a page."""
        page: dict[str, Any] = super().get_paginated_response_schema(schema)
        for name in ("next", "previous"):
            # The library speaks OpenAPI 3.0 here, whose `nullable` means nothing in 3.1.
            del page["properties"][name]["nullable"]
            page["properties"][name]["type"] = ["string", "null"]
        return page


class NewestFirst(CursorPages):
    """For everything that has a time of its making."""

    ordering = "-created_at"
