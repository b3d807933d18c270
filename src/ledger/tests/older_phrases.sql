INSERT INTO phrase (id, text) SELECT 1, substr(content, -5) FROM entry;
UPDATE entry SET ending = 1, content = substr(content, 1, length(content) - 5);
