-- Whether notes are kept for longer than their campaign keeps what was said.
SELECT 1 FROM worklist_tick JOIN entry ON entry.id = entry_id JOIN campaign ON campaign.id = campaign_id
WHERE note IS NOT NULL AND at + keep_words_for <= ?1 LIMIT 1;
