-- Of a party that is nobody's customer: the region of the client that made it (ADR 0081); '' = of none.
ALTER TABLE customers_lone_party ADD COLUMN region TEXT NOT NULL DEFAULT '';
