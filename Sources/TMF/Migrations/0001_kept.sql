-- What clients sent and the domains' own tables do not give back by themselves (ADR 0054): attributes that are not modelled,
-- other spellings of those that are. One row a resource that has any.
CREATE TABLE tmf_kept (
  resource TEXT NOT NULL,
  id BIGINT NOT NULL,
  attributes TEXT NOT NULL,
  PRIMARY KEY (resource, id)
);
