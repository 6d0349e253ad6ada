-- Of what clients sent and no row holds: values that lists look for, the class of a resource (@type) among them.
CREATE TABLE tmf_kept_value (
  resource TEXT NOT NULL,
  path TEXT NOT NULL,
  value TEXT NOT NULL,
  id BIGINT NOT NULL,
  PRIMARY KEY (resource, path, value, id)
);

CREATE INDEX tmf_kept_value_id ON tmf_kept_value (resource, id);
