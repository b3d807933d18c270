-- The entry's newest conversation that is over.
SELECT id, number, outcome, ended_at FROM attempt WHERE entry_id = ?1 AND state = 'ended' ORDER BY id DESC LIMIT 1;
