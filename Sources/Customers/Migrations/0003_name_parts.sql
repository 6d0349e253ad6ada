-- Parts of Latin words become tokens of the search too; those of names written before are made from their words.
INSERT INTO customers_search (kind, token, customer_id)
SELECT s.kind, SUBSTR(s.token, n.start), s.customer_id
FROM customers_search s
JOIN (
  SELECT 2 AS start UNION ALL SELECT 3 UNION ALL SELECT 4 UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7
  UNION ALL SELECT 8 UNION ALL SELECT 9 UNION ALL SELECT 10 UNION ALL SELECT 11 UNION ALL SELECT 12
  UNION ALL SELECT 13 UNION ALL SELECT 14 UNION ALL SELECT 15 UNION ALL SELECT 16 UNION ALL SELECT 17
  UNION ALL SELECT 18 UNION ALL SELECT 19 UNION ALL SELECT 20 UNION ALL SELECT 21 UNION ALL SELECT 22
) n ON n.start <= LENGTH(s.token) - 2
WHERE s.kind = 1 AND s.token >= '0' AND s.token < '{'
ON CONFLICT (kind, token, customer_id) DO NOTHING;
