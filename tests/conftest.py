"""Fixtures that tests of several rooms ask for by name."""

from tests.postgres import database_url, postgres, postgres_server

__all__ = ["database_url", "postgres", "postgres_server"]
