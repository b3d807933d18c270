-- A call between the two numbers that was placed, or may have been, at about that time.
SELECT 1 FROM attempt
WHERE to_number = ?2 AND from_number = ?1
    AND (state <> 'not_placed' OR reason IN ('answer_lost', 'operator')) AND state <> 'refused'
    AND intent_at BETWEEN ?3 - ?4 AND ?3 + ?4;
