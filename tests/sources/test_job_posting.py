import pytest
from pydantic import ValidationError

from metier.sources.job_posting import JobPosting

FULL = {
    "@context": "https://schema.org",
    "@type": "JobPosting",
    "title": "Nurse",
    "description": "<p>Night shifts</p><ul><li>Wards</li></ul>",
    "hiringOrganization": {"@type": "Organization", "name": "County Hospital"},
    "jobLocation": {
        "@type": "Place",
        "address": {
            "@type": "PostalAddress",
            "addressLocality": "Dayton",
            "addressRegion": "OH",
            "addressCountry": "US",
        },
    },
    "baseSalary": {
        "@type": "MonetaryAmount",
        "currency": "USD",
        "value": {"@type": "QuantitativeValue", "minValue": 30.0, "maxValue": 40.0, "unitText": "HOUR"},
    },
    "datePosted": "2026-11-01",
    "validThrough": "2026-11-30",
    "employmentType": ["FULL_TIME"],
    "identifier": {"@type": "PropertyValue", "name": "County Hospital", "value": "n-1"},
}


def test_goes_in_and_out_unchanged():
    assert JobPosting.model_validate(FULL).document() == FULL


def test_what_models_read():
    posting = JobPosting.model_validate(FULL)
    assert posting.text == "Night shifts Wards"
    assert posting.salary == (62_400.0, 83_200.0)
    assert posting.end - posting.start == pytest.approx(30 * 86400, abs=1)


@pytest.mark.parametrize(
    "html",
    [
        "<script>alert(1)</script>ok",
        "<img src=x onerror=alert(1)>ok",
        "<a href='javascript:alert(1)'>ok</a>",
        "<svg/onload=alert(1)>ok",
        "<iframe src=//evil></iframe>ok",
        "<p style='background:url(//evil)' onclick=alert(1)>ok</p>",
    ],
)
def test_nothing_that_runs_or_loads_is_kept(html):
    kept = JobPosting.model_validate(FULL | {"description": html}).description
    assert "ok" in kept
    assert not any(word in kept for word in ("alert", "evil", "javascript", "style", "<img", "<svg"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"title": ""},
        {"title": 5},
        {"datePosted": "yesterday"},
        {"datePosted": 20261101},
        {"validThrough": "2026-10-01"},
        {"datePosted": "0001-01-01T00:00:00+12:00"},
        {"datePosted": None, "validThrough": "9999-12-31T23:59:59-12:00"},
        {"title": "Nurse\0"},
        {"employmentType": ["\0"]},
        {"hiringOrganization": {"name": "\0"}},
        {"jobLocationType": "OFFICE"},
        {"baseSalary": {"currency": "USD", "value": {"minValue": -1}}},
    ],
)
def test_wrong_value_is_refused(wrong):
    with pytest.raises(ValidationError):
        JobPosting.model_validate(FULL | wrong)


def test_unlisted_property_is_left_out():
    assert "industry" not in JobPosting.model_validate(FULL | {"industry": "care"}).document()
