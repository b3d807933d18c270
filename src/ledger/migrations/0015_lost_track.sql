-- A person may settle whom nobody could follow to the end.
INSERT INTO legal_transition (state_before, state_after) VALUES ('lost_track', 'cancelled');
