-- Accounts. The name as typed and shown; its folded form is unique through identity_user_name.
CREATE TABLE identity_user (
  id BIGINT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  folded_name TEXT NOT NULL,
  display_name TEXT NOT NULL,
  password_hash TEXT,
  password_changed_at BIGINT,
  status TEXT NOT NULL,
  language TEXT,
  theme TEXT,
  shortcuts BOOLEAN NOT NULL,
  scope TEXT NOT NULL,
  last_login_at BIGINT,
  created_at BIGINT NOT NULL,
  changed_at BIGINT NOT NULL
);

CREATE INDEX identity_user_listing ON identity_user (folded_name, id);

CREATE TABLE identity_user_name (
  folded_name TEXT NOT NULL PRIMARY KEY,
  user_id BIGINT NOT NULL
);

CREATE TABLE identity_user_role (
  user_id BIGINT NOT NULL,
  role TEXT NOT NULL,
  given_by BIGINT,
  given_at BIGINT NOT NULL,
  PRIMARY KEY (user_id, role)
);

-- The token itself is nowhere: the key is its SHA-256. The id is what pages name a session by.
CREATE TABLE identity_session (
  token_hash TEXT NOT NULL PRIMARY KEY,
  id BIGINT NOT NULL,
  user_id BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  last_seen_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  address TEXT NOT NULL,
  agent TEXT NOT NULL
);

CREATE INDEX identity_session_user ON identity_session (user_id, id);

CREATE INDEX identity_session_expiry ON identity_session (expires_at);

-- Failed log-ins by key: `account:NAME`, `address:ADDRESS`, `pair:NAME@ADDRESS`. Shared by all processes.
CREATE TABLE identity_throttle (
  key TEXT NOT NULL PRIMARY KEY,
  failures INTEGER NOT NULL,
  next_allowed_at BIGINT NOT NULL,
  failed_at BIGINT NOT NULL
);

CREATE INDEX identity_throttle_age ON identity_throttle (failed_at);

-- Where an account logged in from before: a stranger's failures elsewhere do not hold its owner up here.
CREATE TABLE identity_known_address (
  user_id BIGINT NOT NULL,
  address TEXT NOT NULL,
  last_login_at BIGINT NOT NULL,
  PRIMARY KEY (user_id, address)
);

-- One-time links: the first account of a role (`bootstrap`), or a password for an existing account (`password`).
CREATE TABLE identity_bootstrap (
  token_hash TEXT NOT NULL PRIMARY KEY,
  kind TEXT NOT NULL,
  role TEXT,
  user_id BIGINT,
  created_by TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  used_at BIGINT
);

CREATE INDEX identity_bootstrap_user ON identity_bootstrap (user_id);
