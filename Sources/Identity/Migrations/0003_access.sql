-- Programs that get tokens for themselves (RFC 6749, 4.4). Of a secret only the SHA-256 is kept; the one before may stay good
-- for a while. Tokens issued before tokens_from are worth nothing.
CREATE TABLE identity_client (
  id BIGINT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  folded_name TEXT NOT NULL,
  secret_hash TEXT NOT NULL,
  secret_made_at BIGINT NOT NULL,
  old_secret_hash TEXT,
  old_secret_until BIGINT,
  tokens_from BIGINT NOT NULL,
  scopes TEXT NOT NULL,
  addresses TEXT NOT NULL,
  requests_per_second INTEGER NOT NULL,
  scope TEXT NOT NULL,
  expires_at BIGINT NOT NULL,
  created_by TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  last_used_at BIGINT,
  revoked_at BIGINT
);

CREATE UNIQUE INDEX identity_client_name ON identity_client (folded_name);

-- Tokens that people made for their own programs. The key is the SHA-256; the beginning is shown, so that its owner knows it again.
CREATE TABLE identity_token (
  token_hash TEXT NOT NULL PRIMARY KEY,
  id BIGINT NOT NULL,
  user_id BIGINT NOT NULL,
  name TEXT NOT NULL,
  beginning TEXT NOT NULL,
  scopes TEXT NOT NULL,
  addresses TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  last_used_at BIGINT,
  revoked_at BIGINT
);

CREATE INDEX identity_token_user ON identity_token (user_id, id);

-- Which keys access tokens are signed with. The keys themselves are derived from the installation's key and are nowhere here.
CREATE TABLE identity_signing_key (
  id BIGINT NOT NULL PRIMARY KEY,
  kid TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  good_until BIGINT
);
