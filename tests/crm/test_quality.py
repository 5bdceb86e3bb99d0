"""What is wrong with customers: each fault by itself."""

import pytest

from crm.customer import Customer, Phone
from crm.quality import Blemish, Fault, blemishes

GOOD = Phone("138 1234 5678", "+8613812345678")
BAD = Phone("约晚上打", None)


@pytest.mark.parametrize(
    ("customer", "expected"),
    [
        (Customer("1", "王芳", (GOOD,)), []),
        (Customer("1", "王芳"), [(Fault.PHONELESS, "")]),
        (Customer("1", "王芳", (GOOD, BAD)), [(Fault.UNREADABLE, "约晚上打")]),
        (Customer("1", "王芳芳", (GOOD,)), [(Fault.LONGER, "王芳芳")]),
        (
            Customer("1", "王芳", (Phone("138-1234-5678 (手机)", "+8613812345678"),)),
            [(Fault.LONGER, "138-1234-5678 (手机)")],
        ),
    ],
)
def test_a_customer(customer: Customer, expected: list[tuple[Fault, str]]) -> None:
    """With what it is about."""
    longest = {"name": 2, "phone": 14, "title": 1}
    found = list(blemishes(customer, longest))
    assert [(each.fault, each.said) for each in found] == expected
    assert all(isinstance(each, Blemish) and each.customer_id == "1" for each in found)
