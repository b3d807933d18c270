INSERT INTO conversation_words (attempt_id, tags, topic, summary, actions, duration, is_whole, kept_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8);
