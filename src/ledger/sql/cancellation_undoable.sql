-- What was cancelled in a campaign, or of it by naming a run or as of that run's list. An entry whose content was purged
-- cannot be called, so it is not brought back.
SELECT entry.id, state, state_before, reason_before, content = ?3 AS purged
FROM cancellation JOIN entry ON entry.id = entry_id
WHERE campaign_id = ?1 AND (?2 IS NULL OR cancellation.run_id = ?2 OR entry.run_id = ?2)
ORDER BY entry.id;
