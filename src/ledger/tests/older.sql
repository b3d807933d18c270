INSERT INTO campaign (id, name, purpose, source, directory, updated_at) VALUES (1, 'recall', 'recall', '', '.', 0);
INSERT INTO run (id, campaign_id, started_at, attested) VALUES (1, 1, 0, 1);
INSERT INTO entry (id, campaign_id, run_id, key, line, organisation, phone, alternatives, zones, content, state, due_at,
    created_at, updated_at)
VALUES (1, 1, 1, 'P-1', 2, 'bright-smile', '+13125550101', '[]', '{"zones":[],"regions":[],"source":"unknown"}',
    '{"patient":{"first_name":"Pat","last_name":null,"date_of_birth":null,"patient_id":null},"appointment":null,"context":null,"voicemail":null}',
    'ready', 0, 0, 0);
INSERT INTO event (at, run_id, entry_id, kind, state_after) VALUES (0, 1, 1, 'enrolled', 'ready');
