SELECT name, source, directory FROM campaign WHERE id = (SELECT campaign_id FROM entry WHERE id = ?1);
