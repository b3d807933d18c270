-- The entry's outcome is that of its newest conversation that is over, by when it was placed, also of one that does
-- not change its state; unless one of its conversations has decided for good, or another call of the household has.
UPDATE entry SET outcome = (
    SELECT outcome FROM attempt WHERE entry_id = ?1 AND state = 'ended'
    ORDER BY
        outcome = 'opt_out' DESC, (outcome = 'deceased_or_moved' AND reviewed_at IS NOT NULL) DESC, intent_at DESC, id DESC
    LIMIT 1
)
WHERE id = ?1 AND reason IS NOT 'spoken_for';
