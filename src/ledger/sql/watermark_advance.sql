INSERT INTO line (organisation, from_number, in_step_at) VALUES (?1, ?2, ?3)
ON CONFLICT (organisation, from_number) DO UPDATE SET in_step_at = max(in_step_at, excluded.in_step_at);
