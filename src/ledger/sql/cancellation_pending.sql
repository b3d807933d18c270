-- Who cancelled an entry that could not be called then. While a conversation of it is in doubt, a person decides first.
SELECT decided_by FROM cancellation
WHERE entry_id = ?1 AND state_before IS NULL
    AND NOT EXISTS (SELECT 1 FROM attempt WHERE attempt.entry_id = ?1 AND doubt IS NOT NULL);
