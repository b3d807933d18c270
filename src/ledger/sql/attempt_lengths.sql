SELECT ended_at - started_at FROM attempt
WHERE state = 'ended' AND started_at IS NOT NULL AND ended_at > started_at
ORDER BY id DESC LIMIT ?1;
