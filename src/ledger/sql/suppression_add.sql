-- A number that is suppressed again keeps who said so first, and since when. It stays suppressed for the longer time; who
-- prolongs it is named after the first. A suppression that has expired counts for nothing.
INSERT INTO suppression (phone, scope, source, at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5)
ON CONFLICT (phone, scope) DO UPDATE SET
    source = CASE
        WHEN expires_at <= ?4 THEN excluded.source
        WHEN instr(source, excluded.source) > 0 THEN source
        ELSE source || '; ' || excluded.source
    END,
    at = CASE WHEN expires_at <= ?4 THEN excluded.at ELSE at END,
    expires_at = excluded.expires_at
WHERE expires_at IS NOT NULL AND (excluded.expires_at IS NULL OR excluded.expires_at > expires_at);
