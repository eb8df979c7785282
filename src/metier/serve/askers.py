"""A person as the models see them now: what the store holds, or else what the bundle was trained on."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from metier.live import Asker, LiveModel, Wishes
from metier.serve.records import Profile
from metier.store.events import Event
from metier.store.people import Person
from metier.store.resumes import Resume
from metier.store.store import Rows


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


def of_profile(profile: Profile, applied: Sequence[str] = (), resume: str = "") -> Asker:
    """Somebody who says this of themselves, with applications, oldest first, and the visible text of a résumé."""
    text = "\n".join(part for part in (profile.text, *profile.titles, resume) if part)
    return Asker(
        text=text,
        city=profile.city,
        state=profile.state,
        country=profile.country,
        zip=profile.zip,
        wishes=Wishes.parse(profile.wishes),
        applied=tuple((job, float(place)) for place, job in enumerate(applied)),
    )


def asker(rows: Rows, model: LiveModel, person: str) -> Asker | None:
    """One person, or None when neither the store nor the bundle knows them."""
    return askers(rows, model, [person]).get(person)


def is_trained(rows: Rows, model: LiveModel | None, person: str) -> bool:
    """Whether the bundle knows somebody who was not erased."""
    return model is not None and model.knows(person) and not rows.erasure.was_erased(person)


def trained(rows: Rows, model: LiveModel | None, person: str) -> Asker | None:
    """What the bundle knows of somebody who was not erased."""
    return model.asker(person) if model is not None and is_trained(rows, model, person) else None


def is_known(rows: Rows, model: LiveModel | None, person: str) -> bool:
    """Whether the store holds anything of a person (a profile, a résumé, an event), or the bundle knows them."""
    if rows.people.get(person) is not None or is_trained(rows, model, person):
        return True
    return bool(rows.resumes.of_person(person, limit=1).items or rows.events.page(person, limit=1).items)


def askers(rows: Rows, model: LiveModel, people: Sequence[str]) -> dict[str, Asker]:
    """Those of the people who are known, each with all they did.

    A profile in the store takes the place of the bundle's; a résumé and events count in either case, and also alone.
    What the bundle knows of somebody who was erased is not used.
    """
    profiles, resumes, events = rows.people.among(people), rows.resumes.newest(people), rows.events.of_people(people)
    found = {}
    for person in people:
        before, here, resume = is_trained(rows, model, person), profiles.get(person), resumes.get(person)
        if here is None and before and (said := model.asker(person)) is not None:
            now = _with_resume(said, resume)
        elif here is not None or resume is not None or events[person]:
            now = of_profile(profile_of(here) if here else Profile(), resume=resume.text if resume else "")
        else:
            continue
        applied, hidden = _history(events[person])
        found[person] = replace(now, person=person if before else None, applied=applied, hidden=hidden)
    return found


def _with_resume(asker: Asker, resume: Resume | None) -> Asker:
    return asker if resume is None else replace(asker, text=f"{asker.text}\n{resume.text}".strip())


def _history(events: Iterable[Event]) -> tuple[tuple[tuple[str, float], ...], frozenset[str]]:
    """What the events say: applications, each once at its first time, and what is not to be shown again."""
    applied: dict[str, float] = {}
    hidden: set[str] = set()
    for one in events:
        if one.kind == "applied":
            applied.setdefault(one.job, one.time)
        elif one.kind == "dismissed":
            hidden.add(one.job)
    return tuple(applied.items()), frozenset(hidden)
