-- The entry to which a call that the ledger does not know is put down: one that could be called, of this campaign before
-- any other's, or else any with that number.
SELECT id, campaign_id, state, state IN ('ready', 'waiting') AS callable FROM entry
WHERE phone = ?1
ORDER BY callable DESC, campaign_id = ?2 DESC, id LIMIT 1;
