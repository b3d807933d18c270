INSERT INTO writeback_content (number, content) VALUES (?1, ?2);
