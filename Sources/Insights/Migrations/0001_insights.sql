-- Versions of the churn model. card: JSON of ModelCard (figures, curves, columns); titles:
-- wording of the columns; blob_id: the serialised model.
CREATE TABLE insights_model (
  id BIGINT NOT NULL PRIMARY KEY,
  version INTEGER NOT NULL,
  state TEXT NOT NULL,
  job_id BIGINT,
  trained_at BIGINT NOT NULL,
  trained_by TEXT NOT NULL,
  customers BIGINT NOT NULL,
  labelled BIGINT NOT NULL,
  leavers BIGINT NOT NULL,
  features INTEGER NOT NULL,
  folds INTEGER NOT NULL,
  auc DOUBLE PRECISION NOT NULL,
  logloss DOUBLE PRECISION NOT NULL,
  brier DOUBLE PRECISION NOT NULL,
  ece DOUBLE PRECISION NOT NULL,
  lift_at_10 DOUBLE PRECISION NOT NULL,
  seed BIGINT NOT NULL,
  card TEXT,
  titles TEXT,
  blob_id TEXT,
  failure_en TEXT,
  failure_zh TEXT
);

CREATE UNIQUE INDEX insights_model_version ON insights_model (version);

CREATE INDEX insights_model_job ON insights_model (job_id);

-- The score that stands. priority orders the list of whom to call: expected monthly loss, ties by probability.
-- listed: still a customer when last looked at. monthly_value: minor units, 0 = not known.
CREATE TABLE insights_churn_score (
  customer_id BIGINT NOT NULL PRIMARY KEY,
  model_id BIGINT NOT NULL,
  probability DOUBLE PRECISION NOT NULL,
  band TEXT NOT NULL,
  margin DOUBLE PRECISION NOT NULL,
  scored_at BIGINT NOT NULL,
  reasons TEXT NOT NULL,
  region TEXT NOT NULL,
  monthly_value BIGINT NOT NULL,
  currency TEXT NOT NULL,
  priority BIGINT NOT NULL,
  listed BOOLEAN NOT NULL
);

CREATE INDEX insights_churn_score_priority ON insights_churn_score (priority, customer_id) WHERE listed;

CREATE INDEX insights_churn_score_band ON insights_churn_score (band, priority, customer_id) WHERE listed;

CREATE INDEX insights_churn_score_region ON insights_churn_score (region, priority, customer_id) WHERE listed;

-- Earlier scores, one a day at most and only when the band or the probability moved.
CREATE TABLE insights_score_history (
  customer_id BIGINT NOT NULL,
  scored_on TEXT NOT NULL,
  model_id BIGINT NOT NULL,
  probability DOUBLE PRECISION NOT NULL,
  band TEXT NOT NULL,
  PRIMARY KEY (customer_id, scored_on)
);

-- One pass over the base. after_id: how far it is, so that a new process goes on there.
CREATE TABLE insights_scoring_run (
  id BIGINT NOT NULL PRIMARY KEY,
  job_id BIGINT,
  model_id BIGINT NOT NULL,
  state TEXT NOT NULL,
  started_at BIGINT NOT NULL,
  finished_at BIGINT,
  after_id BIGINT NOT NULL,
  scored BIGINT NOT NULL,
  skipped BIGINT NOT NULL,
  histogram TEXT,
  drift DOUBLE PRECISION
);

CREATE INDEX insights_scoring_run_model ON insights_scoring_run (model_id, id);

-- How the base lay after the day's last pass. expected_loss and monthly_value in minor units a month.
CREATE TABLE insights_risk_summary (
  scored_on TEXT NOT NULL,
  region TEXT NOT NULL,
  band TEXT NOT NULL,
  customers BIGINT NOT NULL,
  monthly_value BIGINT NOT NULL,
  expected_loss BIGINT NOT NULL,
  PRIMARY KEY (scored_on, region, band)
);

-- What was done about a customer in a week (ISO, 2026-W10).
CREATE TABLE insights_contact_plan (
  customer_id BIGINT NOT NULL,
  week TEXT NOT NULL,
  state TEXT NOT NULL,
  outcome TEXT,
  note TEXT,
  actor_id BIGINT,
  actor_name TEXT NOT NULL,
  changed_at BIGINT NOT NULL,
  PRIMARY KEY (customer_id, week)
);

CREATE INDEX insights_contact_plan_week ON insights_contact_plan (week, state);
