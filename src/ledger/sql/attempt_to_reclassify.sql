-- A conversation that is over, with its entry. Whether it decides about the entry: it is the newest, by when it was
-- placed, and no other call has decided for good. And whether no newer list was enrolled to its end, no list has
-- forbidden the call since, and the content was not purged (?2 is an empty one).
SELECT entry_id, attempt.outcome, doubt, reviewed_at IS NOT NULL AS is_reviewed, number, to_number, ended_at, entry.state,
    entry.reason, entry.run_id,
    attempt.id = (SELECT other.id FROM attempt AS other
        WHERE other.entry_id = attempt.entry_id AND other.state NOT IN ('not_placed', 'refused')
        ORDER BY other.intent_at DESC, other.id DESC LIMIT 1
    ) AND NOT EXISTS (SELECT 1 FROM attempt AS other WHERE other.entry_id = attempt.entry_id AND other.id <> attempt.id
        AND (other.outcome = 'opt_out' OR (other.outcome = 'deceased_or_moved' AND other.reviewed_at IS NOT NULL))
    ) AS decides_entry,
    attempt.run_id = entry.run_id AND meanwhile IS NULL AND content <> ?2 AND NOT EXISTS (
        SELECT 1 FROM run WHERE run.campaign_id = entry.campaign_id AND listed = 1 AND run.id > attempt.run_id
    ) AS may_be_called
FROM attempt JOIN entry ON entry.id = entry_id
WHERE attempt.id = ?1 AND attempt.state = 'ended';
