// Calls with a SQLite ledger as a script would keep it: the intent is committed, the call is placed, the answer is
// committed. Prints calls a second. (Node's own fetch is undici.)

import Database from "better-sqlite3";

const [baseUrl, calls, inFlight, path] = process.argv.slice(2).map((word, at) => (at === 1 || at === 2 ? +word : word));
const ledger = new Database(path);
ledger.pragma("journal_mode = WAL");
ledger.pragma("synchronous = FULL");
ledger.exec("CREATE TABLE attempt (id INTEGER PRIMARY KEY, phone TEXT, state TEXT, at REAL, conversation TEXT)");
const intent = ledger.prepare("INSERT INTO attempt (phone, state, at) VALUES (?, 'submitting', ?)");
const accepted = ledger.prepare("UPDATE attempt SET state = 'open', conversation = ? WHERE id = ?");
const body = JSON.stringify({
  fromNumber: "+13125550142",
  toNumber: "+13125550143",
  patientInfo: { firstName: "Pat", patientId: "P-1" },
  context: "Pat is due for a cleaning; last visit in May 2026. Prefers mornings.",
});

let next = 0;
async function work() {
  while (next < calls) {
    const n = next++;
    const row = intent.run(`+1312${2000000 + n}`, Date.now()).lastInsertRowid;
    // As in callrounds: each call on a new connection, so that it is not sent twice.
    const headers = { "content-type": "application/json", connection: "close" };
    const answer = await fetch(`${baseUrl}/calls`, { method: "POST", headers, body });
    accepted.run((await answer.json()).data.conversationId, row);
  }
}

const started = performance.now();
await Promise.all(Array.from({ length: inFlight }, work));
console.log((calls * 1000) / (performance.now() - started));
