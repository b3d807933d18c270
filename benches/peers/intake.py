"""What callrounds' intake does, as a script would do it: csv, phonenumbers, Jinja2 and sqlite3.

    python intake.py LIST DATABASE

Rows are read, names, dates and numbers normalised, patients who share a number put together, two texts rendered, and
entries written durably into tables with the ledger's indexes. It leaves out most of what callrounds looks for."""

import csv
import datetime
import json
import sqlite3
import sys

import jinja2
import phonenumbers

CONTEXT = """{{ name }} is due for a cleaning{% if last_visit %}; last visit {{ last_visit }}{% endif %}. Prefers \
{{ preference or 'any time' }}. {% if others %}Also due in the household: {{ others }}.{% endif %}"""
VOICEMAIL = """Hello, this is Annie from {{ practice }} with a message for {{ name }}. Please call us back at \
{{ callback }}. Thank you."""

SCHEMA = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA foreign_keys = ON;
CREATE TABLE campaign (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE run (id INTEGER PRIMARY KEY, campaign_id INTEGER NOT NULL REFERENCES campaign) STRICT;
CREATE TABLE entry (id INTEGER PRIMARY KEY, campaign_id INTEGER NOT NULL REFERENCES campaign,
    run_id INTEGER NOT NULL REFERENCES run, key TEXT NOT NULL, line INTEGER NOT NULL, phone TEXT NOT NULL,
    content TEXT NOT NULL, state TEXT NOT NULL, due_at INTEGER NOT NULL, UNIQUE (campaign_id, key)) STRICT;
CREATE INDEX entry_due ON entry (campaign_id, due_at, id) WHERE state = 'ready';
CREATE INDEX entry_by_run ON entry (run_id, state);
CREATE INDEX entry_by_phone ON entry (phone);
CREATE TABLE member (entry_id INTEGER NOT NULL REFERENCES entry, key TEXT NOT NULL, patient TEXT NOT NULL,
    PRIMARY KEY (entry_id, key)) STRICT, WITHOUT ROWID;
CREATE TABLE event (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, entry_id INTEGER NOT NULL REFERENCES entry,
    kind TEXT NOT NULL, state_after TEXT NOT NULL) STRICT;
CREATE INDEX event_by_entry ON event (entry_id);
INSERT INTO campaign (id, name) VALUES (1, 'bench');
INSERT INTO run (id, campaign_id) VALUES (1, 1);
"""


def number_of(cell):
    try:
        parsed = phonenumbers.parse(cell, "US")
    except phonenumbers.NumberParseException:
        found = list(phonenumbers.PhoneNumberMatcher(cell, "US"))
        if not found:
            return None
        parsed = found[0].number
    if not phonenumbers.is_valid_number(parsed):
        return None
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def date_of(cell):
    if not cell or cell.startswith("0001-01-01"):
        return None
    for form in ("%Y-%m-%d", "%m/%d/%Y", "%m/%d/%y"):
        try:
            return datetime.datetime.strptime(cell, form).date()
        except ValueError:
            pass
    return None


def patients(path):
    with open(path, encoding="utf-8-sig", newline="") as file:
        for line, row in enumerate(csv.DictReader(file), start=2):
            number = number_of(row["WirelessPhone"].strip()) or number_of(row["HmPhone"].strip())
            if number is None or not row["PatNum"] or not row["FName"]:
                continue
            born, seen = date_of(row["Birthdate"]), date_of(row["DatePrevious"])
            state = "ready"
            if row["DoNotCall"].lower() in ("yes", "y", "true", "1") or row["PatStatus"] in ("Inactive", "Deceased"):
                state = "suppressed"
            yield line, number, state, {
                "patient_id": row["PatNum"],
                "first_name": row["FName"].strip(),
                "last_name": row["LName"].strip(),
                "name": row["Preferred"].strip() or row["FName"].strip(),
                "date_of_birth": born and born.isoformat(),
                "last_visit": seen and seen.strftime("%B %Y"),
                "preference": row["Preference"].strip(),
            }


def main(path, database):
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined)
    context, voicemail = environment.from_string(CONTEXT), environment.from_string(VOICEMAIL)
    callback = ", ".join(" ".join(part) for part in ("312", "555", "0100"))
    homes, keys = {}, set()
    for line, number, state, patient in patients(path):
        if patient["patient_id"] not in keys:
            keys.add(patient["patient_id"])
            homes.setdefault(number if state == "ready" else line, []).append((line, number, state, patient))
    connection = sqlite3.connect(database, isolation_level=None)
    connection.executescript(SCHEMA)
    connection.execute("BEGIN IMMEDIATE")
    for (line, number, state, patient), *others in homes.values():
        names = ", ".join(other["name"] for _, _, _, other in others)
        said = dict(patient, others=names, practice="Bright Smile Dental", callback=callback)
        content = {
            "patient": {key: patient[key] for key in ("first_name", "last_name", "date_of_birth", "patient_id")},
            "context": context.render(said)[:500],
            "voicemail": voicemail.render(said)[:500],
        }
        entry = connection.execute(
            "INSERT INTO entry (campaign_id, run_id, key, line, phone, content, state, due_at) VALUES (1, 1, ?, ?, ?, ?, ?, 0)",
            (patient["patient_id"], line, number, json.dumps(content), state),
        ).lastrowid
        connection.execute(
            "INSERT INTO event (at, entry_id, kind, state_after) VALUES (0, ?, 'enrolled', ?)", (entry, state)
        )
        for _, _, _, other in others:
            connection.execute(
                "INSERT INTO member (entry_id, key, patient) VALUES (?, ?, ?)",
                (entry, other["patient_id"], json.dumps(other)),
            )
    connection.execute("COMMIT")
    connection.close()


main(*sys.argv[1:])
