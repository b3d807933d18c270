SELECT id FROM campaign WHERE name = ?1;
