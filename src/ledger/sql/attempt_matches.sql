-- Whether a call between the two numbers was placed, or may have been, within ?4 milliseconds of ?3.
SELECT 1 FROM attempt
WHERE to_number = ?2 AND from_number = ?1
    AND (state <> 'not_placed' OR reason IN ('answer_lost', 'operator')) AND state <> 'refused'
    AND intent_at BETWEEN ?3 - ?4 AND ?3 + ?4;
