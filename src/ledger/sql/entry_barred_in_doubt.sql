-- Entries that a claim barred with their number since a conversation with it was in doubt. ?2 is an empty content:
-- an entry whose content was purged has nothing to say in a call.
SELECT entry.id, entry.run_id, purpose FROM entry JOIN campaign ON campaign.id = entry.campaign_id
WHERE phone = ?1 AND state = 'suppressed' AND reason = 'suppressed' AND content <> ?2
    AND entry.updated_at >= (SELECT min(doubt_at) FROM attempt WHERE to_number = ?1)
ORDER BY entry.id;
