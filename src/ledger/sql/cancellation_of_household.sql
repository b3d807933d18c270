-- The cancellation of an entry whose household a patient was in; or, if that entry had been cancelled by itself, the one of
-- the campaign that it belonged to.
WITH household AS (
    SELECT entry.id, entry.state, entry.created_at FROM member JOIN entry ON entry.id = entry_id
    WHERE member.key = ?2 AND campaign_id = ?1
    UNION
    SELECT entry.id, entry.state, entry.created_at FROM former_member JOIN entry ON entry.id = entry_id
    WHERE former_member.key = ?2 AND campaign_id = ?1
)
SELECT decision, run_id, at, decided_by FROM household JOIN cancellation ON entry_id = household.id
UNION ALL
SELECT decision, cancellation.run_id, at, decided_by
FROM household
    JOIN cancellation ON cancellation.run_id IS NULL AND at >= household.created_at
    JOIN entry AS cancelled ON cancelled.id = entry_id AND cancelled.campaign_id = ?1
WHERE household.state = 'cancelled'
ORDER BY at LIMIT 1;
