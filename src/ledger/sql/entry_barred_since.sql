-- Entries that a claim barred because their number was not to be called, since an instant.
SELECT entry.id, entry.run_id, purpose FROM entry JOIN campaign ON campaign.id = entry.campaign_id
WHERE phone = ?1 AND state = 'suppressed' AND reason = 'suppressed' AND entry.updated_at >= ?2
ORDER BY entry.id;
