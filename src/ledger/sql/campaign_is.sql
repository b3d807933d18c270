SELECT 1 FROM campaign WHERE name = ?1 AND source = ?2;
