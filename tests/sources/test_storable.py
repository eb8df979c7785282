import pytest

from metier.sources.storable import storable_moment, storable_text


@pytest.mark.parametrize("text", ["1900-01-01T00:00:00+23:59", "2200-12-31T23:59:59-23:59", "2026-11-23"])
def test_moment_of_these_years_stands(text):
    assert storable_moment(text).isoformat().startswith(text[:10])


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+12:00", "1899-12-31", "2201-01-01", "9999-12-31T23:59:59-12:00"])
def test_other_years_are_refused_with_the_cure(text):
    with pytest.raises(ValueError, match="before 1900 or after 2200; cure:"):
        storable_moment(text)


@pytest.mark.parametrize("value", ["\0", "a\0b", ["a", "b\0"], ("\0",)])
def test_nul_is_refused(value):
    with pytest.raises(ValueError, match="NUL"):
        storable_text(value)


@pytest.mark.parametrize("value", ["", "a\nb", ["a"], 5, None, True])
def test_other_values_stay_as_they_are(value):
    assert storable_text(value) is value
