-- Names in Latin letters have initials in the index: texts of before are looked at once more (SearchFill), from the first on.
UPDATE customers_search_state SET seen_to = 1 WHERE id = 1 AND (step > 0 OR seen_to > 0);
UPDATE customers_search_state SET step = 2 WHERE id = 1 AND step = 3;
INSERT INTO customers_search_state (id, step, seen_to, since)
SELECT 1, 2, 1, 0 WHERE EXISTS (SELECT 1 FROM customers_customer)
  AND NOT EXISTS (SELECT 1 FROM customers_search_state WHERE id = 1);
