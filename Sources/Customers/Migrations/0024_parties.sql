-- Parties that are nobody's customer (yet): made through the party interface (TMF632). A customer's party stands in the listing.
CREATE TABLE customers_lone_party (
  id BIGINT NOT NULL PRIMARY KEY,
  folded_name TEXT NOT NULL
);

CREATE INDEX customers_lone_party_name ON customers_lone_party (folded_name);

CREATE INDEX customers_party_kind ON customers_party (kind, id);
