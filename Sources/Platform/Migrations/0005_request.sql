-- Requests that were answered, by the key their sender gave them: what is sent again has no second effect and gets the
-- same answer. A row is written in the transaction of the change, so it is there exactly when the change is.
CREATE TABLE platform_request (
  id TEXT NOT NULL PRIMARY KEY,
  digest TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  status INTEGER NOT NULL,
  location TEXT,
  flash TEXT,
  etag TEXT,
  content_type TEXT,
  body TEXT
);

CREATE INDEX platform_request_expiry ON platform_request (expires_at);
