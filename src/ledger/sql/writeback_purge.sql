DELETE FROM writeback_content WHERE number IN (SELECT number FROM writeback WHERE at < ?1);
