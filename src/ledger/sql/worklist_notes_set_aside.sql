-- What is ticked off, in memory, without the notes that are too old.
CREATE TEMP TABLE ticks_that_stay AS
SELECT tick.id, entry_id, work_group, attempt_id, at, ticked_by, CASE WHEN at + keep_words_for > ?1 THEN note END AS note,
    undone_at, undone_by
FROM worklist_tick AS tick JOIN entry ON entry.id = entry_id JOIN campaign ON campaign.id = campaign_id;
