-- The words that stay, in memory.
CREATE TEMP TABLE words_that_stay AS
SELECT conversation_words.* FROM conversation_words
JOIN attempt ON attempt.id = attempt_id JOIN entry ON entry.id = entry_id JOIN campaign ON campaign.id = campaign_id
WHERE kept_at + keep_words_for > ?1;
