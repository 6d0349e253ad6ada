-- In which chunk of the import the row was: its journal holds the values the row gave. NULL: written before this column.
ALTER TABLE ingest_record_lineage ADD COLUMN chunk BIGINT;
