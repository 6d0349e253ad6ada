-- What an address asks for before it gives its files: a header, or a user with a password, sealed with a key of the installation
-- (PullSecret). Nobody is shown it again.
ALTER TABLE ingest_intake ADD COLUMN secret TEXT;
