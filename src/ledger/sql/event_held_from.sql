-- The state from which the entry was held for a review, last. If it had been cancelled with its campaign or run:
-- the state before that, since the cancellation takes effect again, unless it was taken back meanwhile.
SELECT CASE
    WHEN held.state_before = 'cancelled' AND (
        EXISTS (SELECT 1 FROM cancellation WHERE entry_id = ?1)
        OR EXISTS (SELECT 1 FROM event WHERE entry_id = ?1 AND id > held.id AND kind = 'cancellation_undone')
    )
    THEN (
        SELECT state_before FROM event WHERE entry_id = ?1 AND id < held.id AND kind = 'cancelled' ORDER BY id DESC LIMIT 1
    )
    ELSE held.state_before
END
FROM event AS held WHERE entry_id = ?1 AND kind IN ('ended_in_doubt', 'review_needed') ORDER BY id DESC LIMIT 1;
