-- What the source calls an event that was refused, so that it can be asked for it again; NULL where the row has none.
ALTER TABLE usage_reject ADD COLUMN event_id TEXT;
