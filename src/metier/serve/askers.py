"""A person as the models see them now: what the store holds, or else what the bundle was trained on."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from metier.live import Asker, LiveModel, Wishes
from metier.serve.records import Profile
from metier.store import Event, Person, Resume, Rows


def profile_of(person: Person) -> Profile:
    """The profile as it was sent."""
    titles = person.attributes.get("titles")
    return Profile.model_construct(
        text=person.text,
        titles=list(titles) if isinstance(titles, list) else [],
        city=person.city,
        state=person.state,
        country=person.country,
        zip=person.zip,
        wishes=person.wishes,
        discoverable=person.discoverable,
    )


def stored(id: str, profile: Profile) -> Person:
    """The profile as the store keeps it."""
    return Person(
        id=id,
        text=profile.text,
        city=profile.city,
        state=profile.state,
        country=profile.country,
        zip=profile.zip,
        wishes=profile.wishes,
        discoverable=profile.discoverable,
        attributes={"titles": profile.titles},
    )


def of_profile(profile: Profile, resume: str = "") -> Asker:
    """Somebody who says this of themselves, with the visible text of a résumé."""
    text = "\n".join(part for part in (profile.text, *profile.titles, resume) if part)
    return Asker(
        text=text,
        city=profile.city,
        state=profile.state,
        country=profile.country,
        zip=profile.zip,
        wishes=Wishes.parse(profile.wishes),
    )


def asker(rows: Rows, model: LiveModel, person: str) -> Asker | None:
    """One person, or None when neither the store nor the bundle knows them."""
    return askers(rows, model, [person]).get(person)


def askers(rows: Rows, model: LiveModel, people: Sequence[str]) -> dict[str, Asker]:
    """Those of the people who are known, each with all they did.

    A profile in the store takes the place of the bundle's; a résumé and events count in either case.
    """
    profiles, resumes, events = rows.people.among(people), rows.resumes.newest(people), rows.events.of_people(people)
    found = {}
    for person in people:
        trained = model.asker(person)
        here, resume = profiles.get(person), resumes.get(person)
        if here is not None:
            now = of_profile(profile_of(here), resume.text if resume else "")
        elif trained is not None:
            now = _with_resume(trained, resume)
        else:
            continue
        known = trained is not None
        found[person] = replace(now, person=person if known else None, **_history(events[person]))
    return found


def _with_resume(asker: Asker, resume: Resume | None) -> Asker:
    return asker if resume is None else replace(asker, text=f"{asker.text}\n{resume.text}".strip())


def _history(events: Iterable[Event]) -> dict[str, object]:
    """What the events say: applications, each once at its first time, and what is not to be shown again."""
    applied: dict[str, float] = {}
    hidden = set()
    for one in events:
        if one.kind == "applied":
            applied.setdefault(one.job, one.time)
        elif one.kind == "dismissed":
            hidden.add(one.job)
    return {"applied": tuple(applied.items()), "hidden": frozenset(hidden)}
