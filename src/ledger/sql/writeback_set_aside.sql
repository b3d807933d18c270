-- The bytes that stay, in memory.
CREATE TEMP TABLE content_that_stays AS
SELECT number, content FROM writeback_content JOIN writeback USING (number) JOIN campaign ON campaign.id = campaign_id
WHERE at + keep_words_for > ?1;
