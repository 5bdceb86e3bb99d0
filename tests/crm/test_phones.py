"""One cell, several numbers: people part them by whatever is at hand, and part extensions by the same signs."""

import pytest

from crm.phones import split_phones

LINE = "+8675588886666"


@pytest.mark.parametrize(
    "cell",
    [
        "15400001234;15400005678",
        "15400001234；15400005678",
        "15400001234,15400005678",
        "15400001234， 154 0000 5678",
        "15400001234、15400005678",
        "15400001234/154-0000-5678",
        "15400001234|15400005678",
        "15400001234\n15400005678",
        "15400001234\r\n\r\n15400005678",
        "15400001234 15400005678",
        "15400001234 或 15400005678",
        "15400001234 or 15400005678",
        ";15400001234;;+86 15400005678;",
    ],
)
def test_two_numbers(cell: str) -> None:
    """Two numbers in a cell, by whatever sign they are parted."""
    assert [phone.e164 for phone in split_phones(cell)] == ["+8615400001234", "+8615400005678"]


@pytest.mark.parametrize(
    ("cell", "phones"),
    [
        ("0755-88886666,8012", [(LINE, "8012")]),
        ("0755-88886666转8012/8013", [(LINE, "8012"), (LINE, "8013")]),
        ("0755-88886666转8012、8013、8014", [(LINE, "8012"), (LINE, "8013"), (LINE, "8014")]),
        ("0755-88886666-8012/8013", [(LINE, "8012"), (LINE, "8013")]),
        ("0755-88886666 ext 8012, 8013, 15400001234", [(LINE, "8012"), (LINE, "8013"), ("+8615400001234", None)]),
        ("88886666,8012;15400001234", [(LINE, "8012"), ("+8615400001234", None)]),
        ("0755-88886666;8012", [(LINE, None), (None, None)]),  # a semicolon parts numbers, never extensions
        ("0755/88886666", [(LINE, None)]),
        ("tel:+86-755-8888-6666;ext=8012", [(LINE, "8012")]),
        ("0755-88886666/0755-88886667", [(LINE, None), ("+8675588886667", None)]),
    ],
)
def test_signs_before_extensions(cell: str, phones: list[tuple[str | None, str | None]]) -> None:
    """The same signs before an extension part nothing."""
    assert [(phone.e164, phone.ext) for phone in split_phones(cell, "0755")] == phones


def test_no_number() -> None:
    """What is no number is kept to be told."""
    assert [(phone.raw, phone.e164) for phone in split_phones("问前台; 15400001234")] == [
        ("问前台", None),
        ("15400001234", "+8615400001234"),
    ]


def test_extension_column() -> None:
    """An extension from a column of its own belongs to the fixed line."""
    got = [(phone.raw, phone.ext) for phone in split_phones("0755-88886666;15400001234", ext="8012")]
    assert got == [("0755-88886666转8012", "8012"), ("15400001234", None)]


def test_every_part_reads_the_same_again() -> None:
    """Matching reads the text anew, so the text of each part must hold all of it."""
    for phone in split_phones("0755-88886666转8012/8013;88887777,1;15400001234", "0755"):
        (again,) = split_phones(phone.raw, "0755")
        assert again == phone


@pytest.mark.parametrize("cell", ["", " ", ";;，/、", "\n"])
def test_empty_cell(cell: str) -> None:
    """An empty cell has no number."""
    assert list(split_phones(cell)) == []
