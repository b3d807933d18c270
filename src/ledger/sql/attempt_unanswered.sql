SELECT id, entry_id, run_id FROM attempt WHERE state = 'submitting' ORDER BY id;
