-- What was cancelled in a campaign; with ?2: by naming this run; with ?3: by this `cancel`.
SELECT entry.id, state, state_before, reason_before, content = ?4 AS purged
FROM cancellation JOIN entry ON entry.id = entry_id
WHERE campaign_id = ?1 AND (?2 IS NULL OR cancellation.run_id = ?2) AND (?3 IS NULL OR decision = ?3)
ORDER BY entry.id;
