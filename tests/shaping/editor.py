"""The editor of dictionaries as a browser uses it: what its rows hold, and what is sent back."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from flask.testing import FlaskClient

URL = "/dictionaries/"


@dataclass
class Shown:
    """The rows of one dictionary's page, to be changed and sent back as its form does."""

    client: FlaskClient
    name: str
    page: str
    form: dict[str, Any]

    @property
    def labels(self) -> list[str]:
        """The names, in the order of the page."""
        return [self.form[f"label.{i}"] for i in self.form["option"]]

    def id(self, label: str) -> str:
        """The row of that name."""
        return next(i for i in self.form["option"] if self.form[f"label.{i}"] == label)

    def rename(self, old: str, new: str) -> Shown:
        """Type another name."""
        self.form[f"label.{self.id(old)}"] = new
        return self

    def set(self, label: str, field: str, value: str) -> Shown:
        """Choose a colour, a parent, the switch."""
        self.form[f"{field}.{self.id(label)}"] = value
        return self

    def order(self, *labels: str) -> Shown:
        """Move the rows."""
        self.form["option"] = [self.id(label) for label in labels]
        return self

    def send(self, **more: str) -> Any:
        """Press a button; the answer without following it."""
        return self.client.post(f"{URL}?name={self.name}", data={**self.form, **more})


def show(client: FlaskClient, name: str) -> Shown:
    """Open a dictionary."""
    return read(client, name, client.get(f"{URL}?name={name}").get_data(as_text=True))


def read(client: FlaskClient, name: str, page: str) -> Shown:
    """A page of a dictionary as it came."""
    form: dict[str, Any] = {"option": re.findall(r'name="option" value="(\d+)"', page)}
    form["began"] = re.findall(r'name="began" value="([\d,]*)"', page)
    form["_side"] = re.findall(r'name="_side" value="([^"]*)"', page)
    for i in form["option"]:
        row = page.split(f'name="option" value="{i}"')[1].split("</tr>")[0]
        form[f"version.{i}"] = re.search(rf'name="version.{i}" value="(\d+)"', row)[1]
        form[f"was.{i}"] = re.search(rf'name="was.{i}" value="([^"]*)"', row)[1]
        form[f"label.{i}"] = re.search(rf'name="label.{i}" value="([^"]*)"', row)[1]
        form[f"tone.{i}"] = re.search(r'value="(\w+)" data-tone="\w*" selected', row)[1]
        if re.search(rf'name="active.{i}" value="1" checked', row):
            form[f"active.{i}"] = "1"
        parent = row.split(f'name="parent.{i}"')[1:]
        if parent:
            chosen = re.search(r'value="([^"]*)" selected', parent[0])
            form[f"parent.{i}"] = chosen[1] if chosen else ""
    return Shown(client, name, page, form)


def undo(client: FlaskClient) -> Any:
    """Press 撤销 beside what was said last."""
    page = client.get(f"{URL}?name=customer.kind").get_data(as_text=True)
    (deed,) = re.findall(r'form="undo" name="deed" value="(\w+)"', page)
    return client.post("/dictionaries/undo", data={"deed": deed}, follow_redirects=True)
