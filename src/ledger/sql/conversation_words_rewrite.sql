-- Without a condition SQLite frees every page of the table, and `secure_delete` overwrites each.
DELETE FROM conversation_words;
INSERT INTO conversation_words SELECT * FROM words_that_stay ORDER BY attempt_id;
DROP TABLE words_that_stay;
