"""Journals as they were written by other versions, and with events that nobody has written."""

from __future__ import annotations

import json

from VSClickCorrectLib.session.journal import Journal


def events_of(text):
    """Return the events of a journal's text, whatever its lines are worth."""
    events = [json.loads(line) for line in text.splitlines()]
    return [{key: value for key, value in event.items() if key != "chain"} for event in events]


def chained(events):
    """Return the text of a journal of these events, each with its checksum."""
    journal = Journal()
    for event in events:
        journal.append(event)
    return journal.text


def older(text, version):
    """Return a journal as version 1 or 2 would have written it."""
    events = events_of(text)
    for event in events:
        if event["event"] == "session":
            del event["id"], event["images"]
            event["format"] = version
            if version == 1:
                del event["start"]
    return "".join(json.dumps(event) + "\n" for event in events)
