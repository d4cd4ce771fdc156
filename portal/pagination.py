"""Pages over REST."""

from rest_framework.pagination import CursorPagination


class NewestFirst(CursorPagination):
    """Cursor pages, newest first: stable while rows are added."""

    ordering = "-created_at"
    page_size_query_param = "page_size"
    max_page_size = 200
