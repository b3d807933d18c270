-- The bytes of batches that are as old as the data that is purged, and of newer ones that tell a call which is as
-- old, or one to an entry that is purged; ?2 is an empty content.
DELETE FROM writeback_content
WHERE number IN (SELECT number FROM writeback WHERE at < ?1)
    OR number IN (
        SELECT batch FROM writeback_call JOIN attempt ON attempt.id = attempt_id JOIN entry ON entry.id = entry_id
        WHERE ended_at < ?1 OR content = ?2
    );
