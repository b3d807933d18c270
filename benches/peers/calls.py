"""Calls with a SQLite ledger as a script would keep it: the intent is committed, the call is placed, the answer is
committed. Prints calls a second."""

import asyncio
import sqlite3
import sys
import time

import aiohttp


async def main(base_url, calls, in_flight, path):
    ledger = sqlite3.connect(path, isolation_level=None)
    ledger.execute("PRAGMA journal_mode = WAL")
    ledger.execute("PRAGMA synchronous = FULL")
    ledger.execute("CREATE TABLE attempt (id INTEGER PRIMARY KEY, phone TEXT, state TEXT, at REAL, conversation TEXT)")
    body = {
        "fromNumber": "+13125550142",
        "toNumber": "+13125550143",
        "patientInfo": {"firstName": "Pat", "patientId": "P-1"},
        "context": "Pat is due for a cleaning; last visit in May 2026. Prefers mornings.",
    }
    left = iter(range(calls))

    async def work(session):
        for n in left:
            intent = "INSERT INTO attempt (phone, state, at) VALUES (?, 'submitting', ?)"
            row = ledger.execute(intent, (f"+1312{2000000 + n}", time.time())).lastrowid
            async with session.post(f"{base_url}/calls", json=body) as answer:
                conversation = (await answer.json())["data"]["conversationId"]
            ledger.execute("UPDATE attempt SET state = 'open', conversation = ? WHERE id = ?", (conversation, row))

    # As in callrounds: each call on a new connection, so that it is not sent twice.
    connector = aiohttp.TCPConnector(force_close=True, limit=in_flight)
    async with aiohttp.ClientSession(connector=connector) as session:
        started = time.monotonic()
        await asyncio.gather(*(work(session) for _ in range(in_flight)))
        print(calls / (time.monotonic() - started))


asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]))
