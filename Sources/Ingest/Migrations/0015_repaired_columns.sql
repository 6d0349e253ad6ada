-- Which columns of a held row somebody repaired (ColumnBits): lineage tells it when the cells themselves are long forgotten.
-- NULL = repaired by an older version, or not at all.
ALTER TABLE ingest_quarantine ADD COLUMN repaired_columns TEXT;
