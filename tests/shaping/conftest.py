"""The same small trade as for people."""

from tests.customers.conftest import world as world
