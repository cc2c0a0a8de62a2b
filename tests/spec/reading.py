"""What a person reads on a page, as far as the checks ask for it."""

from __future__ import annotations

import html
import re
import threading
from collections.abc import Callable, Iterable
from typing import Any

from flask.testing import FlaskClient

TOGETHER = 30
"""Seconds that people acting at the same moment wait for each other."""


def text(markup: str) -> str:
    """The words of a piece of a page."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", markup)).split())


def page(client: FlaskClient, address: str, status: int = 200) -> str:
    """The page at that address."""
    answer = client.get(address)
    assert answer.status_code == status, (address, answer.status_code)
    return answer.get_data(as_text=True)


def rows(shown: str) -> list[str]:
    """The words of each row of a list, its running number first."""
    body = shown.partition("<tbody>")[2].partition("</tbody>")[0]
    return [text(r) for r in re.findall(r'<tr><td class="k">.*?</tr>', body, re.S)]


def headings(shown: str) -> list[str]:
    """The headings of a list."""
    head = shown.partition("<thead>")[2].partition("</thead>")[0]
    return [text(h) for h in re.findall(r"<th[ >].*?</th>", head, re.S)]


def footer(shown: str) -> str:
    """How many records a list says it has, and on which page one is."""
    found = re.search(r'<div class="foot"><span>(.*?)</span>', shown)
    assert found, "no footer"
    return text(found[1])


def links(shown: str, region: str) -> dict[str, str]:
    """Words and addresses of the links in a labelled part of the page, without the counts beside them."""
    return {label: address for label, (address, _) in _links(shown, region).items()}


def counts(shown: str, region: str) -> dict[str, str]:
    """The counts beside those links; empty where there is none."""
    return {label: count for label, (_, count) in _links(shown, region).items()}


def _links(shown: str, region: str) -> dict[str, tuple[str, str]]:
    part = re.search(rf'<nav[^>]*aria-label="{region}".*?</nav>', shown, re.S)
    found = re.findall(r'<a [^>]*?href="([^"]*)"[^>]*>(.*?)</a>', part[0] if part else "", re.S)
    parts = [(address, *words.partition("<small")[::2]) for address, words in found]
    return {text(label): (html.unescape(address), text(f"<small{count}")) for address, label, count in parts}


def link(shown: str, words: str) -> str:
    """The address of the link or button with these words."""
    for address, label in re.findall(r'<a [^>]*?href="([^"]*)"[^>]*>(.*?)</a>', shown, re.S):
        if text(label) == words:
            return html.unescape(address)
    raise AssertionError(f"no link {words}")


def options(shown: str, name: str) -> list[str]:
    """What a select or a list of ticks offers, without its empty first entry."""
    select = re.search(rf'<select[^>]*name="{name}".*?</select>', shown, re.S)
    if select:
        entries = re.findall(r'<option value="([^"]*)"[^>]*>(.*?)</option>', select[0], re.S)
        return [text(words) for value, words in entries if value]
    ticks = rf'<label[^>]*><input type="checkbox" name="{name}" value="[^"]+"[^>]*>(.*?)</label>'
    return [text(words) for words in re.findall(ticks, shown, re.S)]


def button(shown: str, words: str) -> str:
    """The opening tag of a button or link with these words; empty when there is none."""
    for tag, _, label in re.findall(r"(?=(<(button|a|span)\b[^>]*>)(.*?)</\2>)", shown, re.S):
        if text(label).startswith(words):
            return str(tag)
    return ""


def typed(shown: str, name: str) -> str:
    """What stands in an input of the page, not of the frame around it."""
    shown = shown.partition("<main")[2] or shown
    area = re.search(rf'<textarea[^>]*name="{name}"[^>]*>(.*?)</textarea>', shown, re.S)
    if area:
        return html.unescape(area[1].removeprefix("\n"))
    for tag in re.findall(r"<input [^>]*>", shown):
        if f'name="{name}"' in tag:
            value = re.search(r'value="([^"]*)"', tag)
            return html.unescape(value[1]) if value else ""
    return ""


def said(shown: str, name: str) -> str:
    """The sentence beside an input that was wrong."""
    part = shown.partition(f'data-field="{name}"')[2].partition("data-field=")[0]
    found = re.search(r'<p class="err"[^>]*>(.*?)</p>', part, re.S)
    return text(found[1]) if found else ""


def menu(shown: str) -> dict[str, list[str]]:
    """Groups of the left menu with their items; "" holds what stands above the groups."""
    nav = shown.partition('aria-label="主菜单"')[2].partition("</nav>")[0]
    above, *groups = nav.split("<details")
    found = {"": [text(i) for i in re.findall(r"<a .*?</a>", above, re.S)]}
    for group in groups:
        label = re.search(r"<summary>(.*?)(?:<b|</summary>)", group, re.S)
        assert label
        found[text(label[1])] = [text(i) for i in re.findall(r"<a [^>]*>.*?<span>(.*?)</span>", group, re.S)]
    return found


def badge(shown: str, key: str) -> int:
    """The count at a menu item, or at a group when ``key`` is its label."""
    nav = shown.partition('aria-label="主菜单"')[2].partition("</nav>")[0]
    item = re.search(rf'data-key="{key}".*?</a>', nav, re.S) or re.search(
        rf"<summary><i[^>]*></i>{key}.*?</summary>", nav, re.S
    )
    assert item, key
    count = re.search(r"<b[^>]*>(\d+)\+?</b>", item[0])
    return int(count[1]) if count else 0


def at_once(deeds: Iterable[Callable[[], Any]]) -> list[Any]:
    """What came of deeds done at the same moment, each by a person of his own."""
    wanted = list(deeds)
    start = threading.Barrier(len(wanted))
    answers: list[Any] = [None] * len(wanted)

    def run(number: int) -> None:
        start.wait(TOGETHER)
        answers[number] = wanted[number]()

    threads = [threading.Thread(target=run, args=(n,)) for n in range(len(wanted))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(TOGETHER)
    return answers
