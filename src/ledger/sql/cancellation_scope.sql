-- The entries of a campaign, or of one run's list, that no operator has cancelled.
SELECT id, state, reason,
    EXISTS (SELECT 1 FROM attempt WHERE attempt.entry_id = entry.id AND doubt IS NOT NULL) AS in_doubt
FROM entry
WHERE campaign_id = ?1 AND (?2 IS NULL OR run_id = ?2) AND state <> 'cancelled'
    AND NOT EXISTS (SELECT 1 FROM cancellation WHERE entry_id = entry.id)
ORDER BY id;
