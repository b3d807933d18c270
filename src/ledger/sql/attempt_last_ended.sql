-- The entry's newest conversation that is over: the one that was placed last, which may not be the one that was read
-- last.
SELECT (SELECT max(number) FROM attempt WHERE entry_id = ?1) AS number, outcome, ended_at FROM attempt
WHERE entry_id = ?1 AND state = 'ended'
ORDER BY intent_at DESC, id DESC LIMIT 1;
