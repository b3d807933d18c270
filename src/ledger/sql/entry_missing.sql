-- The entries still to be called at ?3 whose patients the list of run ?2 does not have, neither alone nor in a household.
SELECT count(*) FROM entry
WHERE run_id IN (SELECT id FROM run WHERE campaign_id = ?1 AND id <> ?2)
    AND (state = 'ready' OR state = 'waiting') AND (not_after IS NULL OR not_after >= ?3)
    AND NOT EXISTS (
        SELECT 1 FROM member JOIN entry AS household ON household.id = member.entry_id
        WHERE member.key = entry.key AND household.run_id = ?2
    );
