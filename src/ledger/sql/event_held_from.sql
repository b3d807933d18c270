-- The state from which the entry was held for a review, last.
SELECT state_before FROM event WHERE entry_id = ?1 AND kind IN ('ended_in_doubt', 'review_needed') ORDER BY id DESC LIMIT 1;
