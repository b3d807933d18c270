-- Whether words are kept for longer than their campaign keeps them.
SELECT 1 FROM conversation_words
JOIN attempt ON attempt.id = attempt_id JOIN entry ON entry.id = entry_id JOIN campaign ON campaign.id = campaign_id
WHERE kept_at + keep_words_for <= ?1 LIMIT 1;
