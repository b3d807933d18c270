-- Whether the bytes of a batch are kept for longer than its campaign keeps what was said.
SELECT 1 FROM writeback_content JOIN writeback USING (number) JOIN campaign ON campaign.id = campaign_id
WHERE at + keep_words_for <= ?1 LIMIT 1;
