"""Where a number was handed out: a hint, in Chinese."""

import subprocess
import sys

import pytest

from numbering.identify import identify
from numbering.region import region, with_region


@pytest.mark.parametrize(
    ("raw", "place"),
    [
        ("010-88886666", "北京市"),
        ("0755-88886666", "广东省深圳市"),
        ("13812345678", "江苏省连云港市"),
        ("+85223456789", "香港"),
        ("+85366123456", "澳门特区"),
        ("+12025550123", "美国"),
        ("15400001234", None),  # a range of nobody
        ("4007002505", None),  # only 中国, which is no hint
        ("10086", None),
        ("8012", None),
        ("anonymous", None),
        ("rubbish", None),
    ],
)
def test_regions(raw: str, place: str | None) -> None:
    """The Chinese name, None where the tables say nothing or only the country."""
    assert with_region(identify(raw)).region == place


def test_no_e164_is_no_place() -> None:
    """Whatever is asked, nothing raises."""
    assert region("rubbish") is None
    assert region("") is None


def test_the_tables_are_not_loaded_by_the_hot_path() -> None:
    """They take seconds and 117 MB: a card must not wait for them."""
    code = (
        "import sys; from numbering.identify import identify; from numbering.region import with_region\n"
        "from numbering.display import display; display(identify('13812345678')); with_region(identify('10086'))\n"
        "print(any(name.startswith('phonenumbers.geodata') for name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
