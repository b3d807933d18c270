-- Without a condition SQLite frees every page of the table, and `secure_delete` overwrites each.
DELETE FROM writeback_content;
INSERT INTO writeback_content (number, content) SELECT number, content FROM content_that_stays ORDER BY number;
DROP TABLE content_that_stays;
