-- Due entries of a plan that were not called since it was made and whose number and content are still as approved.
SELECT entry.id, entry.key, entry.state, organisation, location, entry.phone, zones, not_after
FROM planned JOIN entry ON entry.id = planned.entry_id
WHERE planned.run_id = ?1 AND organisation = ?2 AND entry.state IN ('ready', 'waiting') AND due_at <= ?3
    AND (?5 = '[]' OR coalesce(location, '') NOT IN (SELECT value FROM json_each(?5)))
    AND entry.phone = planned.phone AND entry.content = planned.content
    AND planned.calls = (
        SELECT count(*) FROM attempt WHERE attempt.entry_id = entry.id AND attempt.state NOT IN ('not_placed', 'refused')
    ) + (
        SELECT count(*)
        FROM covered JOIN attempt ON attempt.id = covered.attempt_id JOIN entry AS other ON other.id = attempt.entry_id
        WHERE covered.key = entry.key AND other.campaign_id = entry.campaign_id AND other.id <> entry.id
            AND attempt.state IN ('ended', 'absent', 'lost_track')
    )
ORDER BY due_at, entry.id LIMIT ?4;
