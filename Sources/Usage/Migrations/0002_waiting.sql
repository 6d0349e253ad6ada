-- How many events of each unknown line wait. Counted where they come and go, in the same transaction, so that no page counts
-- them; upkeep mends what an older process wrote beside (ADR 0043).
CREATE TABLE usage_waiting (
  source_id BIGINT NOT NULL,
  naming TEXT NOT NULL,
  line TEXT NOT NULL,
  events BIGINT NOT NULL,
  PRIMARY KEY (source_id, naming, line)
);

CREATE INDEX usage_waiting_most ON usage_waiting (events, source_id, naming, line);

-- All of the source's.
ALTER TABLE usage_source ADD COLUMN waiting BIGINT NOT NULL DEFAULT 0;

-- The file that brought it; empty for events that came over HTTP, or before this column.
ALTER TABLE usage_unmatched ADD COLUMN run_id BIGINT;

INSERT INTO usage_waiting (source_id, naming, line, events)
SELECT source_id, naming, line, COUNT(*) FROM usage_unmatched GROUP BY source_id, naming, line;

UPDATE usage_source SET waiting = (SELECT COUNT(*) FROM usage_unmatched u WHERE u.source_id = usage_source.id);
