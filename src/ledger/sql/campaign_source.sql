SELECT source, directory FROM campaign WHERE name = ?1;
