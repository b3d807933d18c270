-- The entry to which an unrecorded call is attributed: a callable one before others, and this campaign's before others.
SELECT id, campaign_id, state, state IN ('ready', 'waiting') AS callable FROM entry
WHERE phone = ?1
ORDER BY callable DESC, campaign_id = ?2 DESC, id LIMIT 1;
