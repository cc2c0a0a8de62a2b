"""Every address of the product that is read: generated from the routes and the declarations."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlencode

from flask import Flask
from werkzeug.routing import Rule

from app.engine.fields import FieldSpec, describe
from app.engine.forms import editable
from app.engine.resource import Resource, filtered, resources
from app.engine.scopes import Scope
from tests.generic.world import HERE, World, fields

FOREIGN = ("static",)


def reads(app: Flask, found: type[Resource], world: World, place: str = HERE) -> list[str]:
    """Every address of one resource that answers GET, pages and API."""
    pk = world.id(found, place)
    seen: list[str] = []
    for rule in app.url_map.iter_rules():
        if "GET" in (rule.methods or ()) and rule.rule.startswith(f"/{found.name}/"):
            seen += _filled(rule, found, pk)
    seen += _lists(f"/{found.name}/", found)
    if found.columns:
        seen += [f"/{found.name}/charts?scope={s.value}&window=all" for s in Scope]
    if found.api:
        seen += _lists(f"/api/v1/{found.name}", found)
        seen.append(f"/api/v1/{found.name}/{pk}")
        seen.append(f"/api/v1/{found.name}?fields={','.join(s.name for s in fields(found))}")
    return list(dict.fromkeys(seen))


def _filled(rule: Rule, found: type[Resource], pk: int | None) -> Iterator[str]:
    path = rule.rule
    if "<int:pk>" in path or "pk>" in path:
        yield _replaced(path, pk=str(pk))
    elif "<field>" in path and "<name>" in path:
        for action in found.actions:
            for spec in action.fields:
                if spec.target is not None:
                    yield _replaced(path, name=action.name, field=spec.name)
    elif "<name>" in path:
        for action in found.actions:
            yield _replaced(path, name=action.name) + f"?id={pk}"
            yield _replaced(path, name=action.name) + "?all=1&window=all"
    elif "<field>" in path:
        for spec in fields(found):
            yield _replaced(path, field=spec.name)
    else:
        yield path


def _replaced(path: str, **values: str) -> str:
    parts = []
    for part in path.split("/"):
        name = part.rstrip(">").rpartition(":")[2].lstrip("<") if part.startswith("<") else ""
        parts.append(values.get(name, part) if name else part)
    return "/".join(parts)


def _made_up(path: str) -> str:
    """An address of a hand-written page, about the first record or the dashboard there is."""
    return re.sub(r"<(?:[^<>]*:)?(\w+)>", lambda found: {"name": "manager"}.get(found.group(1), "1"), path)


def _lists(base: str, found: type[Resource]) -> Iterator[str]:
    everything = {"window": "all", "include": "all", "per_page": "100"}
    yield f"{base}?{urlencode(everything)}"
    for scope in Scope:
        yield f"{base}?{urlencode({'scope': scope.value, **everything})}"
    for view in found.views:
        yield f"{base}?{urlencode({'view': view.name, **everything})}"
    for spec in fields(found):
        if spec.attribute is not None:
            yield f"{base}?{urlencode({'sort': spec.name, **everything})}"
    yield f"{base}?last=1&window=all"


def listings(found: type[Resource]) -> list[str]:
    """Every address of one resource that names several records: lists, charts, pickers."""
    everything = "window=all&include=all&per_page=100"
    seen = [f"/{found.name}/?{everything}", f"/{found.name}/?last=1&window=all"]
    seen += [f"/{found.name}/?scope={s.value}&{everything}" for s in Scope]
    seen += [f"/{found.name}/?view={v.name}&{everything}" for v in found.views]
    seen += [f"/{found.name}/charts?scope={s.value}&window=all" for s in Scope if found.charts]
    seen += [f"/{found.name}/pick/{s.name}" for s in fields(found) if s.target is found.model]
    if found.api:
        seen += [
            f"/api/v1/{found.name}?scope={s}&window=all&per_page=100" for s in ("", *(s.value for s in Scope))
        ]
    return seen


def filters_of(found: type[Resource]) -> list[FieldSpec]:
    """The declared filters' fields."""
    return [describe(filtered(f)) for f in found.filters]


def others(app: Flask) -> list[str]:
    """The addresses of hand-written pages and services that take no record."""
    prefixes = tuple(f"/{r.name}/" for r in resources())
    return sorted(
        rule.rule
        for rule in app.url_map.iter_rules()
        if "GET" in (rule.methods or ())
        and not rule.arguments
        and not rule.rule.startswith(prefixes)
        and rule.endpoint not in FOREIGN
    )


def single(app: Flask, own: dict[str, int]) -> dict[str, str]:
    """The addresses of hand-written pages about one thing, by their rules; ``own`` names the things."""
    prefixes = ("/api/", *(f"/{r.name}/" for r in resources()))
    found = {}
    for rule in app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or not rule.arguments or rule.endpoint in FOREIGN:
            continue
        if not rule.rule.startswith(prefixes):
            kind = rule.rule.split("/")[1]
            name = "customers" if kind == "print" else "manager"
            found[rule.rule] = _replaced(rule.rule, pk=str(own.get(kind, 0)), name=name)
    return found


def writes(app: Flask, world: World, place: str = HERE) -> list[tuple[str, str]]:
    """Every method and address that changes something."""
    found: list[tuple[str, str]] = []
    by_name = {r.name: r for r in resources()}
    for rule in app.url_map.iter_rules():
        for method in sorted((rule.methods or set()) & {"POST", "PUT", "PATCH", "DELETE"}):
            if rule.rule.startswith("/api/v1/<name>"):
                paths = [
                    _replaced(rule.rule, name=r.name, pk=str(world.id(r, place)), action_name=a)
                    for r in by_name.values()
                    for a in ([x.name for x in r.actions] if "action_name" in rule.rule else [""])
                ]
            else:
                shown = by_name.get(rule.rule.split("/")[1])
                paths = list(_filled(rule, shown, world.id(shown, place))) if shown else [_made_up(rule.rule)]
            found += [(method, path.partition("?")[0]) for path in paths]
    return list(dict.fromkeys(found))


def forms_of(found: type[Resource]) -> list[FieldSpec]:
    """The fields of the form for a new record."""
    return editable(found, editing=False)
