-- A call of which only the placement is known: it counts for its number, and leaves its entry's state alone. It is
-- polled again, since it may contain an opt-out.
INSERT INTO attempt (entry_id, run_id, number, organisation, from_number, to_number, state, intent_at, answered_at,
    conversation, started_at, reason, found, taken_over)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'lost_track', ?7, ?7, ?8, ?7, 'track_lost', 1, 1);
