"""The acceptance checks of the catalogues, in the small trade of the customer tests."""

from tests.customers.conftest import world as world
