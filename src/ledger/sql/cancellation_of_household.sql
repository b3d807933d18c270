-- The cancellation of an entry whose household a patient was in.
SELECT decision, cancellation.run_id, at, decided_by
FROM (
        SELECT entry_id FROM member WHERE key = ?2
        UNION
        SELECT entry_id FROM former_member WHERE key = ?2
    ) AS household
    JOIN cancellation ON cancellation.entry_id = household.entry_id
    JOIN entry ON entry.id = household.entry_id
WHERE campaign_id = ?1
ORDER BY at LIMIT 1;
