-- Row 3: how far a base from before has come with the numbers of its payments (NumberFill).
INSERT INTO customers_search_state (id, step, seen_to, since)
SELECT 3, 0, 0, 0 WHERE EXISTS (SELECT 1 FROM customers_customer);
