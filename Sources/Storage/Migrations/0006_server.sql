-- Servers that answer requests now: they share what a caller may ask for.
CREATE TABLE storage_server (
  holder TEXT NOT NULL PRIMARY KEY,
  alive_until BIGINT NOT NULL
);
