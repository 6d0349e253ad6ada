-- Row 4: how far a base from before has come with the accounts that its bills and payments name (AccountReferences).
INSERT INTO customers_search_state (id, step, seen_to, since)
SELECT 4, 0, 0, 0 WHERE EXISTS (SELECT 1 FROM customers_customer);
