-- A person may bring back, or settle, whom the vendor refused for good.
INSERT INTO legal_transition (state_before, state_after) VALUES ('failed', 'ready'), ('failed', 'cancelled');
