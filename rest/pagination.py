"""Pagination of the REST API. Settings refer to it, so it imports no views."""

from typing import Any

from django.core.exceptions import ValidationError
from rest_framework.exceptions import NotFound
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request


class CursorPages(CursorPagination):
    """Cursor pages in the subclass's `ordering`; they stay stable while rows are added."""

    page_size_query_param = "page_size"
    max_page_size = 200

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any] | None:
        """The rows of a page. Raises NotFound if the cursor is not one of this list's."""
        cursor = self.decode_cursor(request)
        if cursor is not None and cursor.position is not None:
            # Django REST framework decodes the cursor, but passes the position in it to the database unchecked.
            name = self.get_ordering(request, queryset, view)[0].lstrip("-")
            try:
                queryset.model._meta.get_field(name).clean(cursor.position, None)
            except ValidationError:
                raise NotFound(self.invalid_cursor_message) from None
        return super().paginate_queryset(queryset, request, view)

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """The schema of a page in the OpenAPI document."""
        page: dict[str, Any] = super().get_paginated_response_schema(schema)
        for name in ("next", "previous"):
            # The library writes OpenAPI 3.0 here; its `nullable` has no meaning in 3.1.
            del page["properties"][name]["nullable"]
            page["properties"][name]["type"] = ["string", "null"]
        return page


class NewestFirst(CursorPages):
    """Newest first, for models with a creation time."""

    ordering = "-created_at"
