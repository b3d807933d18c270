INSERT INTO phrase (text) VALUES (?1);
