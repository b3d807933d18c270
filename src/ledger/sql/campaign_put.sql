INSERT INTO campaign (name, purpose, source, directory, updated_at, keep_words_for, vendor)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
ON CONFLICT (name) DO UPDATE SET purpose = excluded.purpose, source = excluded.source,
    directory = excluded.directory, updated_at = excluded.updated_at, keep_words_for = excluded.keep_words_for,
    vendor = excluded.vendor
RETURNING id;
