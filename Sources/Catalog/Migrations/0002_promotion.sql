-- Promotions (TMF671): what is given when something is bought.
CREATE TABLE catalog_promotion (
  id BIGINT NOT NULL,
  name TEXT NOT NULL,
  description TEXT,
  promotion_type TEXT,
  status TEXT,
  valid_from BIGINT,
  valid_to BIGINT,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (id)
);

CREATE INDEX catalog_promotion_name ON catalog_promotion (name, id);

CREATE INDEX catalog_promotion_status ON catalog_promotion (status);

CREATE INDEX catalog_promotion_type ON catalog_promotion (promotion_type);

CREATE INDEX catalog_promotion_updated ON catalog_promotion (updated_at, id);

-- What has to be so (in more), and what is done then.
CREATE TABLE catalog_promotion_pattern (
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  pattern_id TEXT,
  name TEXT,
  description TEXT,
  priority BIGINT,
  logic TEXT,
  more TEXT,
  PRIMARY KEY (owner_id, place)
);

CREATE TABLE catalog_promotion_action (
  owner_id BIGINT NOT NULL,
  item BIGINT NOT NULL,
  place BIGINT NOT NULL,
  action_id TEXT,
  action_type TEXT,
  action_value TEXT,
  entity_id TEXT,
  PRIMARY KEY (owner_id, item, place)
);
