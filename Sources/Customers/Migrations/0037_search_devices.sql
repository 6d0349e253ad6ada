-- Row 5: how far a base from before has come with the words of what devices are called (NumberFill).
INSERT INTO customers_search_state (id, step, seen_to, since)
SELECT 5, 0, 0, 0 WHERE EXISTS (SELECT 1 FROM customers_customer);
